"""Train ESPCN on the photographs that lie inside the packages scikit-image and scikit-learn: nothing is downloaded.

    python recipes/espcn.py [--scale 2] [--output zoo/checkpoints]

The package needs its extra `train`. The run is seeded, and it goes on where it was stopped. It writes the weights,
`espcn-x2.safetensors` (names are the Keras variable paths), and `espcn-x2.json`, what was measured and how.
"""

import argparse
import importlib.metadata
import json
import math
import time
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import safetensors.numpy
import skimage
import sklearn
from PIL import Image

from zoo.architectures.espcn import espcn, luma, luma_detail

# Never trained on, nor used to choose anything in this file.
HELD_OUT = ("coffee.png", "chelsea.png", "china.jpg")
# The other photographs in the two packages. Left out, because a run without them did better on photographs set aside:
# drawings and scans, the microscope and the telescope, and pictures so soft that making them smaller costs nothing.
TRAINING = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "coins.png",
    "flower.jpg",
    "grass.png",
    "gravel.png",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "rocket.jpg",
)
SHRINKS = (1.0, 0.8, 0.65, 0.5)  # a smaller copy has sharper edges
FILTERS = (64, 32)
SEED = 0
PATCH_PIXELS = 32  # of the small picture
BATCH_SIZE = 16
STEPS_PER_ROUND = 500
ROUNDS = 60
LEARNING_RATE = 3e-3

Pair = tuple[np.ndarray, np.ndarray]


def photograph(name: str) -> Image.Image:
    """Open a picture of scikit-image or scikit-learn by its file name, as RGB."""
    folders = (Path(skimage.__file__).parent / "data", Path(sklearn.__file__).parent / "datasets" / "images")
    path = next(folder / name for folder in folders if (folder / name).is_file())
    return Image.open(path).convert("RGB")


def degrade(photo: Image.Image, scale: int) -> tuple[Image.Image, Image.Image]:
    """Crop `photo` to a multiple of `scale`, and make it `scale` times smaller: `(cropped, small)`."""
    cropped = photo.crop((0, 0, photo.width // scale * scale, photo.height // scale * scale))
    return cropped, cropped.resize((cropped.width // scale, cropped.height // scale), Image.Resampling.BICUBIC)


def bicubic(small: Image.Image, scale: int) -> Image.Image:
    """The enlargement that has to be beaten."""
    return small.resize((small.width * scale, small.height * scale), Image.Resampling.BICUBIC)


def luma_psnr(picture: Image.Image | np.ndarray, reference: Image.Image | np.ndarray, border: int) -> float:
    """PSNR in dB on the luma of BT.601 in [16, 235], as the field measures it, `border` pixels left out.

    Args:
        picture: RGB in [0, 255], `(height, width, 3)`.
        reference: The same.
        border: Pixels left out on each side, customarily the scale.
    """
    weights = np.array([65.481, 128.553, 24.966]) / 255
    difference = (np.asarray(picture, "float64") - np.asarray(reference, "float64")) @ weights
    height, width = difference.shape
    inner = difference[border : height - border, border : width - border]
    return float(10 * math.log10(255**2 / np.mean(inner**2)))


def training_pairs(scale: int) -> list[Pair]:
    """The small luma, `(h, w, 1)`, and what its bicubic enlargement lacks, `(scale h, scale w, 1)`; 1 is white."""
    pairs = []
    for name in TRAINING:
        photo = photograph(name)
        for shrink in SHRINKS:
            size = (round(photo.width * shrink), round(photo.height * shrink))
            large, small = degrade(photo.resize(size, Image.Resampling.BICUBIC), scale)
            planes = [luma(np.asarray(image, "float32") / 255) for image in (large, small, bicubic(small, scale))]
            pairs.append((planes[1], planes[0] - planes[2]))
    return pairs


def draw(pairs: list[Pair], scale: int, generator: np.random.Generator) -> Pair:
    """Patches for one round, each pixel as likely as any other, one of the eight orientations for each patch."""
    areas = np.array([small.size for small, _ in pairs])
    inputs: list[np.ndarray] = []
    targets: list[np.ndarray] = []
    for index in generator.choice(len(pairs), STEPS_PER_ROUND * BATCH_SIZE, p=areas / areas.sum()):
        small, lacking = pairs[index]
        top, left = (generator.integers(length - PATCH_PIXELS + 1) for length in small.shape[:2])
        turns, mirror = int(generator.integers(4)), int(generator.integers(2)) * 2 - 1
        for planes, plane, factor in ((inputs, small, 1), (targets, lacking, scale)):
            rows = slice(top * factor, (top + PATCH_PIXELS) * factor)
            columns = slice(left * factor, (left + PATCH_PIXELS) * factor)
            planes.append(np.rot90(plane[rows, columns], turns)[:, ::mirror])
    return np.stack(inputs), np.stack(targets)


@keras.saving.register_keras_serializable(package="recipes")
def squared_levels(target, prediction):
    """Mean squared error in squared 8-bit levels: Adam's epsilon is small beside its gradients."""
    return keras.ops.mean(keras.ops.square(255.0 * (target - prediction)))


def untrained(scale: int) -> keras.Model:
    """The part of the network that learns, luma to detail; its variables have the paths of the whole network's."""
    keras.utils.set_random_seed(SEED)
    inputs = keras.Input((None, None, 1), name="luma")
    model = keras.Model(inputs, luma_detail(inputs, scale=scale, filters=FILTERS))
    decay = keras.optimizers.schedules.CosineDecay(
        LEARNING_RATE / 10,
        ROUNDS * STEPS_PER_ROUND - STEPS_PER_ROUND,
        warmup_target=LEARNING_RATE,
        warmup_steps=STEPS_PER_ROUND,
    )
    model.compile(keras.optimizers.Adam(decay), squared_levels)
    return model


def train(scale: int, state: Path) -> tuple[keras.Model, float]:
    """Train, or go on from the file `state`, written after each round. Returns the model and the seconds it took."""
    model = keras.saving.load_model(state) if state.is_file() else untrained(scale)
    clock = state.with_suffix(".json")
    seconds = json.loads(clock.read_text())["seconds"] if state.is_file() else 0.0
    pairs = training_pairs(scale)
    state.parent.mkdir(parents=True, exist_ok=True)
    for index in range(int(model.optimizer.iterations) // STEPS_PER_ROUND, ROUNDS):
        start = time.monotonic()
        inputs, targets = draw(pairs, scale, np.random.default_rng([SEED, index]))
        history = model.fit(inputs, targets, BATCH_SIZE, epochs=1, shuffle=False, verbose=0).history
        seconds += time.monotonic() - start
        clock.write_text(json.dumps({"seconds": seconds}))
        partial = state.with_name(f"partial-{state.name}")
        model.save(partial)
        partial.replace(state)  # whole or not at all, should the run be stopped here
        error = 10 * math.log10(255**2 / history["loss"][0])
        print(f"round {index + 1}/{ROUNDS}: {error:.3f} dB on the training patches, {seconds:.0f} s", flush=True)
    return model, seconds


def whole_network(scale: int, weights: Mapping[str, np.ndarray]) -> keras.Model:
    """ESPCN from RGB in [0, 1] to RGB in [0, 255], its variables filled from `weights` by their paths."""
    inputs = keras.Input((None, None, 3), name="image")
    model = keras.Model(inputs, espcn(inputs, scale=scale, filters=FILTERS))
    for variable in model.variables:
        variable.assign(weights[variable.path])
    return model


def measure(model: keras.Model, scale: int) -> dict[str, dict[str, float]]:
    """PSNR in dB of the network and of the bicubic enlargement on each held-out photograph."""
    figures = {}
    for name in HELD_OUT:
        large, small = degrade(photograph(name), scale)
        outputs = model.predict(np.asarray(small, "float32")[None] / 255, verbose=0)[0]
        ours = luma_psnr(np.rint(np.clip(outputs, 0, 255)), large, scale)
        theirs = luma_psnr(bicubic(small, scale), large, scale)
        figures[name] = {
            "psnr_db": round(ours, 3),
            "bicubic_psnr_db": round(theirs, 3),
            "gain_db": round(ours - theirs, 3),
        }
    return figures


def report(model: keras.Model, scale: int, seconds: float) -> dict:
    """What the checkpoint is, what it scores, and how it was made."""
    photographs = measure(model, scale)
    return {
        "command": f"python recipes/espcn.py --scale {scale}",
        "metric": f"PSNR on the luma of BT.601, 8-bit RGB, {scale} border pixels left out, in dB",
        "photographs": photographs,
        "mean_gain_db": round(float(np.mean([figures["gain_db"] for figures in photographs.values()])), 3),
        "arguments": {"scale": scale, "filters": list(FILTERS)},
        "parameters": model.count_params(),
        "training_photographs": list(TRAINING),
        "training_steps": ROUNDS * STEPS_PER_ROUND,
        "seed": SEED,
        "seconds": round(seconds),
        "backend": keras.backend.backend(),
        "versions": {
            name: importlib.metadata.version(name)
            for name in ("keras", "tensorflow", "numpy", "pillow", "scikit-image", "scikit-learn")
        },
    }


def main() -> None:
    """Train, write the weights, load them afresh, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, default=2, help="enlargement of height and width (2, 3 or 4)")
    parser.add_argument("--output", type=Path, default=Path("zoo/checkpoints"), help="folder for the weights")
    parser.add_argument("--state", type=Path, default=Path("runs"), help="folder from which a stopped run goes on")
    arguments = parser.parse_args()
    name = f"espcn-x{arguments.scale}"
    state = arguments.state / f"{name}.keras"
    trained, seconds = train(arguments.scale, state)
    weights = arguments.output / f"{name}.safetensors"
    weights.parent.mkdir(parents=True, exist_ok=True)
    tensors = {variable.path: keras.ops.convert_to_numpy(variable.value) for variable in trained.trainable_variables}
    weights.write_bytes(safetensors.numpy.save(tensors))
    model = whole_network(arguments.scale, safetensors.numpy.load_file(weights))
    text = json.dumps(report(model, arguments.scale, seconds), indent=2)
    weights.with_suffix(".json").write_text(text + "\n")
    state.unlink()  # the next run starts anew
    print(text)


if __name__ == "__main__":
    main()
