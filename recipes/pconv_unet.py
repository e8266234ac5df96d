"""Train the inpainting U-Net of partial convolutions, or its plain twin, on photographs that two packages ship.

    python recipes/pconv_unet.py --model pconv-unet [--output zoo/checkpoints]

The package needs its extra `train`. The run is seeded, and it resumes where it was stopped. It writes the weights,
`pconv-unet.safetensors` (float16; names are the Keras variable paths), and beside them a `.json`: what was measured and
how, beside the twin, once it is trained, and biharmonic inpainting. After the second twin both files have all three.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from PIL import Image

from recipes.inpainting_scores import METRIC, biharmonic, compare
from recipes.irregular_masks import BINS, irregular_mask
from recipes.photographs import TRAINING, photograph
from recipes.training_run import TrainingRun, filled, parser, run_facts, write_weights
from zoo.architectures import pconv_unet
from zoo.layers.fused_batch_normalization import fuse_normalization
from zoo.training.optimizers import warmed_up_cosine

SHRINKS = (1.0, 0.75, 0.5)  # a smaller copy has more detail under a stroke
SEED = 0
PATCH_PIXELS = 96
BATCH_SIZE = 8
STEPS_PER_ROUND = 100
ROUNDS = 26
ROUNDS_PER_STATE = 2
LEARNING_RATE = 2e-3
PACKAGES = ("pillow", "scikit-image", "scikit-learn")
HOLE_WEIGHT, VARIATION_WEIGHT = 6.0, 0.1  # of the paper, equation 7, that of the valid pixels being 1

# From image and mask: what learns, which paints everywhere, and the whole, which paints under the holes only.
NETWORKS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "pconv-unet": (pconv_unet.partial_image, pconv_unet.pconv_unet),
    "conv-unet": (pconv_unet.plain_image, pconv_unet.conv_unet),
}


def from_image_and_mask(builder: Callable[..., Any]) -> keras.Model:
    """A network from RGB in [0, 1], `(batch, height, width, 3)`, and a mask, `(batch, height, width, 1)`."""
    image, mask = keras.Input((None, None, 3), name="image"), keras.Input((None, None, 1), name="mask")
    return keras.Model([image, mask], builder(image, mask))


def training_photographs() -> list[np.ndarray]:
    """All sizes of all photographs: RGB, uint8, `(height, width, 3)`."""
    copies = []
    for name in TRAINING:
        photo = photograph(name)
        for shrink in SHRINKS:
            size = (round(photo.width * shrink), round(photo.height * shrink))
            copies.append(np.asarray(photo.resize(size, Image.Resampling.BICUBIC)))
    return copies


def draw(photos: list[np.ndarray], generator: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
    """Patches and masks for one round, and as target both of them, `(n, side, side, 4)`; float32, 1 is white or valid.

    Each pixel of the photographs is as likely as any other, and so are the six ranges of hole ratios.
    """
    count, side = STEPS_PER_ROUND * BATCH_SIZE, PATCH_PIXELS
    targets = np.empty((count, side, side, 4), "float32")
    for target, patch in zip(targets, patches(photos, count, side, generator), strict=True):
        target[..., :3] = patch
        target[..., 3:] = irregular_mask(side, side, BINS[generator.integers(len(BINS))], generator)
    return [targets[..., :3] * targets[..., 3:], targets[..., 3:]], targets


def patches(photos: list[np.ndarray], count: int, side: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Recoloured squares, float32 `(side, side, 3)` in [0, 1]; each pixel of the images is as likely as any other."""
    areas = np.array([photo.size for photo in photos])
    for index in generator.choice(len(photos), count, p=areas / areas.sum()):
        top, left = (generator.integers(length - side + 1) for length in photos[index].shape[:2])
        yield recoloured(photos[index][top : top + side, left : left + side], generator)


def recoloured(patch: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Turn or mirror a patch, swap its colours, and give each less contrast: uint8 -> float32 in [0, 1]."""
    patch = np.rot90(patch, generator.integers(4))[:, :: generator.integers(2) * 2 - 1, generator.permutation(3)]
    contrast = generator.uniform(0.6, 1, size=3)
    return patch / 255 * contrast + generator.uniform(0, 1 - contrast)


def inpainting_loss(target, output):
    """L1 of hole and valid pixels, and total variation of the filled image: equations 3, 6 and 7 of the paper.

    The perceptual and the style losses are left out: they need VGG-16 trained on ImageNet.
    """
    image, mask = target[..., :3], target[..., 3:]
    error = ops.abs(output - image)
    filled = mask * image + (1 - mask) * output
    down = ops.abs(filled[:, 1:] - filled[:, :-1]) * (1 - mask[:, 1:] * mask[:, :-1])  # pairs that a hole touches
    across = ops.abs(filled[:, :, 1:] - filled[:, :, :-1]) * (1 - mask[:, :, 1:] * mask[:, :, :-1])
    variation = ops.mean(down) + ops.mean(across)
    return ops.mean(error * (mask + HOLE_WEIGHT * (1 - mask))) + VARIATION_WEIGHT * variation


def untrained(name: str) -> keras.Model:
    """What learns, computing in bfloat16: Adam, a warm-up over a twentieth of the steps, then cosine decay."""
    keras.utils.set_random_seed(SEED)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = from_image_and_mask(NETWORKS[name][0])
    finally:
        keras.config.set_dtype_policy("float32")
    fuse_normalization(model)
    steps = ROUNDS * STEPS_PER_ROUND
    rate = warmed_up_cosine(LEARNING_RATE, steps, steps // 20)
    model.compile(keras.optimizers.Adam(rate), inpainting_loss, jit_compile=False)
    return model


def train(name: str, state: Path) -> tuple[keras.Model, float]:
    """Train, or go on from the file `state`. Returns the model and the seconds it took."""
    run, photos = TrainingRun(state, lambda: untrained(name)), training_photographs()
    for index in run.rounds(ROUNDS, STEPS_PER_ROUND, ROUNDS_PER_STATE):
        inputs, targets = draw(photos, np.random.default_rng([SEED, index]))
        loss = run.model.fit(inputs, targets, BATCH_SIZE, shuffle=False, verbose=0).history["loss"][0]
        print(f"{name}, round {index + 1}/{ROUNDS}: loss {loss:.5f}, {run.seconds:.0f} s", flush=True)
    return run.model, run.seconds


def comparison(folder: Path) -> dict[str, Any]:
    """The table of biharmonic inpainting and of the networks whose weights are there."""
    methods = {"biharmonic": biharmonic}
    for name in NETWORKS:
        weights = folder / f"{name}.safetensors"
        if weights.is_file():
            model = filled(from_image_and_mask(NETWORKS[name][1]), weights)
            methods[name] = lambda images, masks, model=model: model.predict([images / 255, masks], 11, verbose=0)
    return compare(methods, BINS)


def report(name: str, model: keras.Model, seconds: float) -> dict[str, Any]:
    """What the checkpoint is and how it was made."""
    return {
        "command": f"python recipes/pconv_unet.py --model {name}",
        "metric": METRIC,
        "parameters": sum(int(np.prod(variable.shape)) for variable in model.trainable_variables),
        "training_photographs": list(TRAINING),
        **run_facts(steps=ROUNDS * STEPS_PER_ROUND, seed=SEED, seconds=seconds, packages=PACKAGES),
    }


def main() -> None:
    """Train, write the weights, load all that are there afresh, measure."""
    options = parser(__doc__)
    options.add_argument("--model", choices=NETWORKS, default="pconv-unet", help="which of the twins")
    arguments = options.parse_args()
    weights = arguments.output / f"{arguments.model}.safetensors"
    state = arguments.state / f"{arguments.model}.state"
    trained, seconds = train(arguments.model, state)
    write_weights(trained, weights, "float16")
    facts = report(arguments.model, trained, seconds)
    weights.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n")
    table = comparison(arguments.output)
    for name in NETWORKS:
        record = arguments.output / f"{name}.json"
        if record.is_file():
            facts = json.loads(record.read_text()) | {"comparison": table}
            record.write_text(json.dumps(facts, indent=2) + "\n")
    state.unlink()  # the next run starts anew
    print(json.dumps(table, indent=2))


if __name__ == "__main__":
    main()
