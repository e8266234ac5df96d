"""Train the inpainting U-Nets that improve a fill by diffusion: of partial convolutions, or their plain twin.

    python -m recipes.inpainting [--tag photos] [--model pconv-unet] [--output zoo/checkpoints]
    python -m recipes.inpainting --tag research --sets SETS/superres

The tag `photos` learns from the photographs that are inside the packages scikit-image and scikit-learn: nothing is
downloaded. `research` learns from the folders `bsds400` and `div2k-crops`, images for research use. The package needs
its extra `train`. The run has two parts, the second of which begins with the weights of the first and has another
loss. It is seeded, and resumes where it was stopped. It writes the weights, `pconv-unet.safetensors` or
`pconv-unet-research.safetensors` (float16; names are the Keras variable paths), and beside them a `.json`: how they
were made. `recipes/papers.py` measures them.
"""

import functools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from PIL import Image

from recipes import image_sets
from recipes.irregular_masks import BINS, cloud_mask, irregular_mask
from recipes.photographs import TRAINING
from recipes.training_run import TrainingRun, fast_precision, filled, parser, run_facts, write_weights
from zoo.architectures import pconv_unet
from zoo.training.optimizers import warmed_up_cosine

SHRINKS = (1.0, 0.75, 0.5)  # a smaller copy has more detail under a stroke
SEED = 0
PATCH_PIXELS = 128
BATCH_SIZE = 8
MASKS_PER_RANGE = 400  # of either kind, strokes and clouds, each seen in eight orientations
STEPS_PER_ROUND = 100
SMOOTH = 1e-3  # of the first loss, in units of [0, 1]
LEAST_ERROR = 1e-5  # of the second, a squared one
PACKAGES = ("pillow", "scikit-image", "scikit-learn")

NETWORKS: dict[str, Callable[..., Any]] = {
    "pconv-unet": pconv_unet.partial_image,
    "conv-unet": pconv_unet.plain_image,
}


class Tag(NamedTuple):
    """A checkpoint: the sets that it learns from, none for the two packages; its channels; the rounds of both parts."""

    suffix: str  # of the file
    sets: tuple[str, ...]
    filters: tuple[int, ...]
    rounds: tuple[int, int]

    @property
    def config(self) -> dict[str, Any]:
        """Of the network."""
        return {"filters": self.filters, "diffusion": True}


TAGS = {
    "photos": Tag("", (), (24, 48, 64, 96, 96), (12, 20)),
    "research": Tag("-research", ("bsds400", "div2k-crops"), (32, 64, 96, 128, 128), (30, 40)),
}


def training_images(sets: tuple[str, ...], data: Path | None) -> list[np.ndarray]:
    """All sizes of the images of sets in a folder, or of the photographs: RGB, uint8, `(height, width, 3)`."""
    copies = []
    for image in image_sets.images(sets, data):
        for shrink in SHRINKS:
            size = (round(image.width * shrink), round(image.height * shrink))
            if min(size) >= PATCH_PIXELS:
                copies.append(np.asarray(image.resize(size, Image.Resampling.BICUBIC)))
    return copies


def patches(images: list[np.ndarray], count: int, side: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Recoloured squares, float32 `(side, side, 3)` in [0, 1]; each pixel of the images is as likely as any other."""
    areas = np.array([image.size for image in images])
    for index in generator.choice(len(images), count, p=areas / areas.sum()):
        top, left = (generator.integers(length - side + 1) for length in images[index].shape[:2])
        yield recoloured(images[index][top : top + side, left : left + side], generator)


def recoloured(patch: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Turn or mirror a patch, swap its colours, and give each less contrast: uint8 -> float32 in [0, 1]."""
    patch = np.rot90(patch, generator.integers(4))[:, :: generator.integers(2) * 2 - 1, generator.permutation(3)]
    contrast = generator.uniform(0.6, 1, size=3)
    return patch / 255 * contrast + generator.uniform(0, 1 - contrast)


@functools.cache
def mask_bank() -> np.ndarray:
    """As many masks of either kind and of each of the six ranges of hole ratios: uint8, `(count, side, side, 1)`."""
    generator, side = np.random.default_rng(SEED), PATCH_PIXELS
    kinds = [(draw, holes) for draw in (irregular_mask, cloud_mask) for holes in BINS for _ in range(MASKS_PER_RANGE)]
    return np.stack([draw(side, side, holes, generator) for draw, holes in kinds])


def draw(images: list[np.ndarray], generator: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
    """Patches and masks for one round, and as target both of them, `(n, side, side, 4)`; float32, 1 is white or valid.

    Each pixel of the images is as likely as any other, and so are the ranges of hole ratios and both kinds of masks.
    """
    count, side, bank = STEPS_PER_ROUND * BATCH_SIZE, PATCH_PIXELS, mask_bank()
    targets = np.empty((count, side, side, 4), "float32")
    for target, patch in zip(targets, patches(images, count, side, generator), strict=True):
        target[..., :3] = patch
        mask = bank[generator.integers(len(bank))]
        target[..., 3:] = np.rot90(mask, generator.integers(4))[:, :: generator.integers(2) * 2 - 1]
    return [targets[..., :3] * targets[..., 3:], targets[..., 3:]], targets


def charbonnier(target, output):
    """Charbonnier's loss in the holes: the mean over each image's hole, then the mean over the images."""
    image, hole = target[..., :3], 1 - target[..., 3:]
    return ops.mean(_in_holes(ops.sqrt(ops.square(output - image) + SMOOTH**2) - SMOOTH, hole))


def log_error(target, output):
    """The logarithm of the mean squared error in each image's hole, the mean over the images: PSNR is what it lacks."""
    image, hole = target[..., :3], 1 - target[..., 3:]
    return ops.mean(ops.log(_in_holes(ops.square(output - image), hole) + LEAST_ERROR))


def _in_holes(errors, hole):
    """The mean of `errors`, `(b, h, w, 3)`, over the hole of each image, `(b, h, w, 1)`: `(b,)`."""
    return ops.sum(errors * hole, axis=(1, 2, 3)) / (3 * ops.maximum(ops.sum(hole, axis=(1, 2, 3)), 1))


class Part(NamedTuple):
    """A part of the training: a warm-up over a twentieth of its steps, then cosine decay."""

    learning_rate: float
    loss: Callable[[Any, Any], Any]


# The first is robust while the network knows nothing; the second is what is measured.
PARTS = (Part(1e-3, charbonnier), Part(5e-4, log_error))


def from_image_and_mask(builder: Callable[..., Any]) -> keras.Model:
    """A network from RGB in [0, 1], `(batch, height, width, 3)`, and a mask, `(batch, height, width, 1)`."""
    image, mask = keras.Input((None, None, 3), name="image"), keras.Input((None, None, 1), name="mask")
    return keras.Model([image, mask], builder(image, mask))


def begun(
    name: str, config: dict[str, Any], part: Part, steps: int, weights: Path | None, *, seed: int = SEED
) -> keras.Model:
    """What learns in a part, in bfloat16 where it is faster: new, or with the weights of the part before."""
    keras.utils.set_random_seed(seed)
    with fast_precision():
        model = from_image_and_mask(functools.partial(NETWORKS[name], **config))
    if weights is not None:
        filled(model, weights)
    rate = warmed_up_cosine(part.learning_rate, steps, steps // 20)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), part.loss, jit_compile=False)
    return model


def train(name: str, tag: Tag, data: Path | None, state: Path) -> tuple[Path, float]:
    """Train part after part, or resume from the files in the folder `state`.

    Returns the weights of the last part, in 16 bits, and the seconds that all took.
    """
    images, first, total, begin = training_images(tag.sets, data), 0, 0.0, None
    for number, (part, rounds) in enumerate(zip(PARTS, tag.rounds, strict=True), start=1):
        weights = state / f"{name}{tag.suffix}-{number}.safetensors"
        seconds = weights.with_suffix(".seconds")
        if not seconds.is_file():
            untrained = functools.partial(begun, name, tag.config, part, rounds * STEPS_PER_ROUND, begin)
            run = TrainingRun(weights.with_suffix(".state"), untrained)
            for index in run.rounds(rounds, STEPS_PER_ROUND):
                inputs, targets = draw(images, np.random.default_rng([SEED, first + index]))
                loss = run.model.fit(inputs, targets, BATCH_SIZE, shuffle=False, verbose=0).history["loss"][0]
                done = f"part {number}, round {index + 1}/{rounds}"
                print(f"{name}, {done}: loss {loss:.5f}, {run.seconds:.0f} s", flush=True)
            write_weights(run.model, weights, "float16")
            seconds.write_text(str(run.seconds))
        first, total, begin = first + rounds, total + float(seconds.read_text()), weights
    return begin, total


def report(name: str, tag: str, weights: Path, seconds: float) -> dict[str, Any]:
    """What the checkpoint is and how it was made."""
    how = TAGS[tag]
    model = filled(from_image_and_mask(functools.partial(NETWORKS[name], **how.config)), weights)
    sets = " --sets SETS/superres" if how.sets else ""
    facts: dict[str, Any] = {
        "command": f"python -m recipes.inpainting --model {name} --tag {tag}{sets}\npython -m recipes.papers SETS",
        "metric": (
            "PSNR in dB and SSIM (mean of the channels) of whole images in 8-bit RGB, their valid pixels copied; means "
            "over 20 images, the middle 256 x 256 pixels of each"
        ),
        "parameters": sum(int(np.prod(variable.shape)) for variable in model.trainable_variables),
    }
    if not how.sets:
        facts["training_photographs"] = list(TRAINING)
    steps = STEPS_PER_ROUND * sum(how.rounds)
    return facts | run_facts(steps=steps, seed=SEED, seconds=seconds, packages=PACKAGES)


def main() -> None:
    """Train, and write the weights."""
    options = parser(__doc__)
    options.add_argument("--tag", default="photos", choices=TAGS, help="which checkpoint")
    options.add_argument("--sets", type=Path, help="folder with the image sets for research use")
    options.add_argument("--model", choices=NETWORKS, default="pconv-unet", help="which of the twins")
    arguments = options.parse_args()
    name, tag = arguments.model, TAGS[arguments.tag]
    trained, seconds = train(name, tag, arguments.sets, arguments.state)
    weights = arguments.output / f"{name}{tag.suffix}.safetensors"
    weights.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(trained, weights)
    facts = report(name, arguments.tag, weights, seconds)
    weights.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n")
    for path in arguments.state.glob(f"{name}{tag.suffix}-[0-9].*"):  # the next run starts over
        path.unlink()


if __name__ == "__main__":
    main()
