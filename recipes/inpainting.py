"""Train the inpainting U-Nets that improve a fill by diffusion: of partial convolutions, or their plain twin.

    python -m recipes.inpainting SETS [--model pconv-unet] [--output zoo/checkpoints]

SETS is a folder with the folders `bsds400` and `div2k-crops`, images for research use. The run is seeded, and resumes
where it was stopped. It writes the weights, `pconv-unet-research.safetensors` (float16; names are the Keras variable
paths), and beside them a `.json`: how they were made. `recipes/papers.py` measures them.
"""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from PIL import Image

from recipes.irregular_masks import BINS, irregular_mask
from recipes.pconv_unet import from_image_and_mask, patches
from recipes.training_run import TrainingRun, parser, run_facts, write_weights
from zoo.architectures import pconv_unet
from zoo.training.optimizers import warmed_up_cosine

SETS = ("bsds400", "div2k-crops")
SHRINKS = (1.0, 0.75, 0.5)  # a smaller copy has more detail under a stroke
SEED = 0
PATCH_PIXELS = 128
BATCH_SIZE = 8
MASKS_PER_RANGE = 400  # each seen in eight orientations
STEPS_PER_ROUND = 100
ROUNDS = {"pconv-unet": 15, "conv-unet": 15}
LEARNING_RATE = 1e-3
SMOOTH = 1e-3  # of the loss, in units of [0, 1]
CONFIG: dict[str, Any] = {"filters": (32, 64, 128, 192, 192), "diffusion": True}

NETWORKS: dict[str, Callable[..., Any]] = {
    "pconv-unet": pconv_unet.partial_image,
    "conv-unet": pconv_unet.plain_image,
}


def training_images(data: Path) -> list[np.ndarray]:
    """All sizes of the images of the sets in a folder: RGB, uint8, `(height, width, 3)`."""
    copies = []
    for path in [path for name in SETS for path in sorted((data / name).iterdir()) if path.suffix in (".png", ".jpg")]:
        image = Image.open(path).convert("RGB")
        for shrink in SHRINKS:
            size = (round(image.width * shrink), round(image.height * shrink))
            if min(size) >= PATCH_PIXELS:
                copies.append(np.asarray(image.resize(size, Image.Resampling.BICUBIC)))
    return copies


@functools.cache
def mask_bank() -> np.ndarray:
    """As many masks of each of the six ranges of hole ratios: uint8, `(count, side, side, 1)`."""
    generator, side = np.random.default_rng(SEED), PATCH_PIXELS
    return np.stack([irregular_mask(side, side, holes, generator) for holes in BINS for _ in range(MASKS_PER_RANGE)])


def draw(images: list[np.ndarray], generator: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
    """Patches and masks for one round, and as target both of them, `(n, side, side, 4)`; float32, 1 is white or valid.

    Each pixel of the images is as likely as any other, and so are the six ranges of hole ratios.
    """
    count, side, bank = STEPS_PER_ROUND * BATCH_SIZE, PATCH_PIXELS, mask_bank()
    targets = np.empty((count, side, side, 4), "float32")
    for target, patch in zip(targets, patches(images, count, side, generator), strict=True):
        target[..., :3] = patch
        mask = bank[generator.integers(len(bank))]
        target[..., 3:] = np.rot90(mask, generator.integers(4))[:, :: generator.integers(2) * 2 - 1]
    return [targets[..., :3] * targets[..., 3:], targets[..., 3:]], targets


def inpainting_loss(target, output):
    """Charbonnier's loss in the holes: the mean over each image's hole, then the mean over the images."""
    image, hole = target[..., :3], 1 - target[..., 3:]
    errors = ops.sqrt(ops.square(output - image) + SMOOTH**2) - SMOOTH
    size = ops.maximum(ops.sum(hole, axis=(1, 2, 3)), 1)
    return ops.mean(ops.sum(errors * hole, axis=(1, 2, 3)) / (3 * size))


def untrained(name: str) -> keras.Model:
    """What learns, computing in bfloat16: Adam, a warm-up over a twentieth of the steps, then cosine decay."""
    keras.utils.set_random_seed(SEED)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = from_image_and_mask(functools.partial(NETWORKS[name], **CONFIG))
    finally:
        keras.config.set_dtype_policy("float32")
    steps = ROUNDS[name] * STEPS_PER_ROUND
    rate = warmed_up_cosine(LEARNING_RATE, steps, steps // 20)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), inpainting_loss, jit_compile=False)
    return model


def train(name: str, data: Path, state: Path) -> tuple[keras.Model, float]:
    """Train, or go on from the file `state`. Returns the model and the seconds it took."""
    run, images = TrainingRun(state, lambda: untrained(name)), training_images(data)
    for index in run.rounds(ROUNDS[name], STEPS_PER_ROUND):
        inputs, targets = draw(images, np.random.default_rng([SEED, index]))
        loss = run.model.fit(inputs, targets, BATCH_SIZE, shuffle=False, verbose=0).history["loss"][0]
        print(f"{name}, round {index + 1}/{ROUNDS[name]}: loss {loss:.5f}, {run.seconds:.0f} s", flush=True)
    return run.model, run.seconds


def report(name: str, model: keras.Model, seconds: float) -> dict[str, Any]:
    """What the checkpoint is and how it was made."""
    return {
        "command": f"python -m recipes.inpainting SETS/superres --model {name}\npython -m recipes.papers SETS",
        "metric": (
            "PSNR in dB and SSIM (mean of the channels) of whole images in 8-bit RGB, their valid pixels copied; means "
            "over 20 images, the middle 256 x 256 pixels of each"
        ),
        "parameters": sum(int(np.prod(variable.shape)) for variable in model.trainable_variables),
        **run_facts(steps=ROUNDS[name] * STEPS_PER_ROUND, seed=SEED, seconds=seconds, packages=("pillow",)),
    }


def main() -> None:
    """Train, and write the weights."""
    options = parser(__doc__)
    options.add_argument("sets", type=Path, metavar="SETS", help="folder with bsds400 and div2k-crops")
    options.add_argument("--model", choices=NETWORKS, default="pconv-unet", help="which of the twins")
    arguments = options.parse_args()
    state = arguments.state / f"{arguments.model}.state"
    trained, seconds = train(arguments.model, arguments.sets, state)
    weights = arguments.output / f"{arguments.model}-research.safetensors"
    write_weights(trained, weights, "float16")
    weights.with_suffix(".json").write_text(json.dumps(report(arguments.model, trained, seconds), indent=2) + "\n")
    state.unlink()  # the next run starts over


if __name__ == "__main__":
    main()
