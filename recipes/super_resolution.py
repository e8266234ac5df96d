"""How the networks of super-resolution are trained and measured: one loop for every family and every scale.

A recipe is a `Recipe` for each tag and a call of `main`. The run is seeded, and it resumes where it was stopped. It
writes the weights, `<name>-x<scale>.safetensors` (`-<tag>` behind the scale unless the tag is `photos`; names are the
Keras variable paths), and `.json`, what was measured and how.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import safetensors.numpy
from PIL import Image

from recipes import image_sets, training_run
from recipes.photographs import HELD_OUT, TRAINING, bicubic, degrade, luma_psnr, luma_ssim, photograph
from recipes.reductions import Reduction, smaller
from recipes.training_run import TrainingRun, fast_precision, filled
from zoo.architectures.enlargement import luma
from zoo.training.optimizers import warmed_up_cosine

SHRINKS = (1.0, 0.8, 0.65, 0.5)  # a smaller copy has sharper edges
SEED = 0
PATCH_PIXELS = 32  # of the small image
BATCH_SIZE = 16
STEPS_PER_ROUND = 500
PACKAGES = ("pillow", "scikit-image", "scikit-learn")

Pair = tuple[np.ndarray, np.ndarray]


def absolute_levels(target, prediction):
    """Mean absolute error in 8-bit levels."""
    return keras.ops.mean(keras.ops.abs(255.0 * (target - prediction)))


def squared_levels(target, prediction):
    """Mean squared error in squared 8-bit levels: Adam's epsilon is small beside its gradients."""
    return keras.ops.mean(keras.ops.square(255.0 * (target - prediction)))


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What one family does its own way.

    `network` goes from RGB in [0, 1] to RGB in [0, 255], `luma_detail` is the part of it that learns; both take
    `scale` and `arguments`. `rounds` are those of each scale. A scale other than `first_scale`, where there is one,
    begins with all weights of that scale's network but those of `scale_layers`. `sets` are the folders of its images
    for research use; without them it learns from the photographs of the two packages. Each image is made smaller in
    all ways of `reductions`. `dtype` is that of the weights in the file.
    """

    name: str
    network: Callable[..., Any]
    luma_detail: Callable[..., Any]
    arguments: Mapping[str, Any]
    rounds: Mapping[int, int]
    learning_rate: float
    first_scale: int | None = None
    scale_layers: tuple[str, ...] = ()
    tag: str = "photos"
    sets: tuple[str, ...] = ()
    reductions: tuple[Reduction, ...] = (smaller,)
    loss: Callable[[Any, Any], Any] = squared_levels
    dtype: str = "float32"

    def weights(self, scale: int, folder: Path) -> Path:
        """The file of the weights."""
        tag = "" if self.tag == "photos" else f"-{self.tag}"
        return folder / f"{self.name}-x{scale}{tag}.safetensors"

    def steps(self, scale: int) -> int:
        """How many steps the training takes."""
        return self.rounds[scale] * STEPS_PER_ROUND


def training_images(recipe: Recipe, data: Path | None) -> Iterator[np.ndarray]:
    """RGB, uint8, `(height, width, 3)`: images of the recipe's sets in a folder, or all sizes of the photographs."""
    for image in image_sets.images(recipe.sets, data):
        for shrink in (1.0,) if recipe.sets else SHRINKS:
            size = (round(image.width * shrink), round(image.height * shrink))
            yield np.asarray(image.resize(size, Image.Resampling.BICUBIC))


def training_pairs(recipe: Recipe, scale: int, data: Path | None = None) -> list[Pair]:
    """The small luma, `(h, w, 1)`, and what its bicubic enlargement lacks, `(scale h, scale w, 1)`; 1 is white.

    Both in 16 bits: of the luma that is 0.06 of 255 levels where it is white, and less of what lacks.
    """
    pairs = []
    for image in training_images(recipe, data):
        height, width = (length // scale * scale for length in image.shape[:2])
        if min(height, width) < PATCH_PIXELS * scale:
            continue
        large = image[:height, :width]
        for reduce in recipe.reductions:
            small = luma(reduce(large, scale).astype("float32") / 255)
            smooth = Image.fromarray(small[..., 0]).resize((width, height), Image.Resampling.BICUBIC)
            lacking = luma(large.astype("float32") / 255) - np.asarray(smooth)[..., None]
            pairs.append((small.astype("float16"), lacking.astype("float16")))
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
    return np.stack(inputs).astype("float32"), np.stack(targets).astype("float32")


def untrained(recipe: Recipe, scale: int, folder: Path) -> keras.Model:
    """The part of the network that learns, luma to detail; its variables have the paths of the whole network's."""
    keras.utils.set_random_seed(SEED)
    inputs = keras.Input((None, None, 1), name="luma")
    with fast_precision():
        model = keras.Model(inputs, recipe.luma_detail(inputs, scale=scale, **recipe.arguments))
    if recipe.first_scale not in (None, scale):
        begin_with(model, recipe.weights(recipe.first_scale, folder), recipe.scale_layers)
    decay = warmed_up_cosine(recipe.learning_rate, recipe.steps(scale), STEPS_PER_ROUND)
    model.compile(keras.optimizers.Adam(decay), recipe.loss)
    return model


def begin_with(model: keras.Model, path: Path, scale_layers: tuple[str, ...]) -> None:
    """Copy the weights of another scale's network into all layers but those that know the scale."""
    if not path.is_file():
        raise SystemExit(f"There is no {path}. The other scales begin with its weights; train that scale first.")
    weights = safetensors.numpy.load_file(path)
    for layer in model.layers:
        if layer.name not in scale_layers:
            for variable in layer.variables:
                variable.assign(weights[variable.path])


def train(recipe: Recipe, scale: int, state: Path, folder: Path, data: Path | None = None) -> tuple[keras.Model, float]:
    """Train, or go on from the file `state`, written after each round. Returns the model and the seconds it took."""
    run = TrainingRun(state, lambda: untrained(recipe, scale, folder))
    pairs, rounds = training_pairs(recipe, scale, data), recipe.rounds[scale]
    for index in run.rounds(rounds, STEPS_PER_ROUND):
        inputs, targets = draw(pairs, scale, np.random.default_rng([SEED, index]))
        loss = run.model.fit(inputs, targets, BATCH_SIZE, shuffle=False, verbose=0).history["loss"][0]
        print(f"round {index + 1}/{rounds}: loss {loss:.4f}, {run.seconds:.0f} s", flush=True)
    return run.model, run.seconds


def whole_network(recipe: Recipe, scale: int, path: Path) -> keras.Model:
    """The network from RGB in [0, 1] to RGB in [0, 255], with the weights of a file."""
    inputs = keras.Input((None, None, 3), name="image")
    return filled(keras.Model(inputs, recipe.network(inputs, scale=scale, **recipe.arguments)), path)


def measure(model: keras.Model, scale: int) -> dict[str, dict[str, float]]:
    """PSNR in dB and SSIM of the network and of the bicubic enlargement on each held-out photograph."""
    scores = {}
    for name in HELD_OUT:
        large, small = degrade(photograph(name), scale)
        outputs = model.predict(np.asarray(small, "float32")[None] / 255, verbose=0)[0]
        ours, theirs = np.rint(np.clip(outputs, 0, 255)), bicubic(small, scale)
        psnr, bicubic_psnr = (luma_psnr(image, large, scale) for image in (ours, theirs))
        ssim, bicubic_ssim = (luma_ssim(image, large, scale) for image in (ours, theirs))
        scores[name] = {
            "psnr_db": round(psnr, 3),
            "bicubic_psnr_db": round(bicubic_psnr, 3),
            "gain_db": round(psnr - bicubic_psnr, 3),
            "ssim": round(ssim, 4),
            "bicubic_ssim": round(bicubic_ssim, 4),
        }
    return scores


def report(recipe: Recipe, scale: int, folder: Path) -> dict[str, Any]:
    """What the checkpoint scores, measured from its file."""
    model = whole_network(recipe, scale, recipe.weights(scale, folder))
    photographs = measure(model, scale)
    return {
        "command": command(recipe, scale),
        "metric": f"PSNR in dB and SSIM on the luma of BT.601, 8-bit RGB, {scale} border pixels left out",
        "photographs": photographs,
        "mean_gain_db": round(float(np.mean([scores["gain_db"] for scores in photographs.values()])), 3),
        "arguments": {"scale": scale, **recipe.arguments},
        "parameters": model.count_params(),
    }


def command(recipe: Recipe, scale: int) -> str:
    """What one types."""
    learn = f"python -m recipes.{recipe.name} --scale {scale}"
    return (
        learn if not recipe.sets else f"{learn} --tag {recipe.tag} --sets SETS/superres\npython -m recipes.papers SETS"
    )


def main(recipes: Mapping[str, Recipe], description: str) -> None:
    """Train the recipe of a tag, write the weights, load them afresh, measure."""
    parser = training_run.measuring(training_run.parser(description))
    scales = sorted({scale for recipe in recipes.values() for scale in recipe.rounds})
    parser.add_argument("--scale", type=int, default=2, choices=scales, help="enlargement")
    parser.add_argument("--tag", default="photos", choices=recipes, help="which checkpoint")
    parser.add_argument("--sets", type=Path, help="folder with the image sets for research use")
    options = parser.parse_args()
    recipe, scale, folder = recipes[options.tag], options.scale, options.output

    def facts(seconds: float) -> dict[str, Any]:
        run = training_run.run_facts(steps=recipe.steps(scale), seed=SEED, seconds=seconds, packages=PACKAGES)
        return run if recipe.sets else {"training_photographs": list(TRAINING), **run}

    training_run.main(
        recipe.weights(scale, folder).stem,
        options,
        train=lambda state: train(recipe, scale, state, folder, options.sets),
        facts=facts,
        measure=lambda weights: report(recipe, scale, folder),
        dtype=recipe.dtype,
    )
