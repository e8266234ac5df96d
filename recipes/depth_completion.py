"""Train the sparsity-invariant network that improves a fill by diffusion, on KITTI's depths.

    python -m recipes.depth_completion DATA [--output zoo/checkpoints]

DATA is a folder as zoo/datasets/depth_maps.py describes it. The run is seeded, and resumes where it was stopped. It
writes the weights, `sparseconvnet-diffusion.safetensors` (names are the Keras variable paths), and beside them a
`.json`: how they were made, and what they score. `recipes/papers.py` measures them beside other methods.
"""

import functools
import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from scipy.ndimage import minimum_filter

from recipes import sparseconvnet_scores as scoring
from recipes import training_run
from recipes.sparseconvnet import Batch, read
from recipes.training_run import TrainingRun, fast_precision, filled, measuring, parser, run_facts
from zoo.architectures import sparseconvnet
from zoo.datasets import depth_maps
from zoo.training.optimizers import warmed_up_cosine

NAME, MODEL = "sparseconvnet-diffusion", "sparseconvnet.diffusion"  # of the file, and in the registry
SEED = 0
BATCH_SIZE = 4
PATCH = (128, 192)  # pixels, height and width
STEPS_PER_ROUND = 100
ROUNDS = 10
LEARNING_RATE = 1e-3
SHARES = (0.02, 0.95)  # of the points: a random one between them, as often below 0.14 as above
HALVED = 0.5  # how often a map of half the size is drawn from, whose points are four times as dense
STRIPED = 0.5  # how often every second band of rows is left out, as the laser leaves out what is between its lines
BANDS = (2, 8)  # rows of a band
OUTLIER = 4.0  # metres: from here on an error counts no more than in proportion


def network() -> keras.Model:
    """From depths and their mask, both `(b, h, w, 1)`, to depths."""
    inputs = {key: keras.Input((None, None, 1), name=key) for key in ("image", "mask")}
    return keras.Model(inputs, sparseconvnet.sparseconvnet(**inputs, diffusion=True))


@functools.lru_cache(maxsize=512)
def points(pair: depth_maps.Pair, shrink: int) -> np.ndarray:
    """All points of a training pair, at least as large as a patch; the nearest of each square of `shrink` pixels."""
    sparse, dense = read(pair)
    depths = np.where(sparse > 0, sparse, dense)
    height, width = (side // shrink for side in depths.shape)
    squares = depths[: height * shrink, : width * shrink].reshape(height, shrink, width, shrink)
    nearest = np.where(squares > 0, squares, np.inf).min(axis=(1, 3))
    lacking = max(0, PATCH[0] - height)
    return np.pad(np.where(np.isfinite(nearest), nearest, 0), ((lacking, 0), (0, 0))).astype("float32")


def in_front(depths: np.ndarray) -> np.ndarray:
    """The points that the network would not drop."""
    nearest = minimum_filter(np.where(depths > 0, depths, np.inf), sparseconvnet.WINDOW)
    return np.where(depths <= sparseconvnet.BEHIND * nearest, depths, 0)


def kept(shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """Which pixels the network may see: a random share, and half the time not every second band of rows."""
    seen = generator.random(shape) < math.exp(generator.uniform(*np.log(SHARES)))
    if generator.random() < STRIPED:
        band = generator.integers(BANDS[0], BANDS[1] + 1)
        rows = np.arange(shape[0]) + generator.integers(2 * band)
        seen &= (rows // band % 2 == 0)[:, None]
    return seen


def draw(pairs: list[depth_maps.Pair], generator: np.random.Generator) -> Batch:
    """Patches for one round, half of them mirrored: the input, its mask, and the target outside of it."""
    known, wanted = [], []
    for index in generator.integers(len(pairs), size=STEPS_PER_ROUND * BATCH_SIZE):
        depths = points(pairs[index], 2 if generator.random() < HALVED else 1)
        top, left = (generator.integers(length - side + 1) for length, side in zip(depths.shape, PATCH, strict=True))
        mirror = int(generator.integers(2)) * 2 - 1
        patch = depths[top : top + PATCH[0], left : left + PATCH[1]][:, ::mirror]
        seen = kept(PATCH, generator)
        known.append(np.where(seen, patch, 0))
        wanted.append(np.where(seen, 0, in_front(patch)))
    image = np.stack(known)[..., None]
    return {"image": image, "mask": (image > 0).astype("float32")}, np.stack(wanted)[..., None]


def loss(target, prediction):
    """Absolute error plus Huber's, over the pixels that have a target: both metrics count, and no outlier much."""
    is_known = ops.cast(target > 0, "float32")
    errors = ops.abs(target - prediction)
    near = ops.minimum(errors, OUTLIER)
    total = ops.sum(is_known * (errors + near * (errors - near / 2) / OUTLIER))
    return total / ops.maximum(ops.sum(is_known), 1)


def untrained() -> keras.Model:
    """The network, in bfloat16 where that is faster: a warm-up over one round and a cosine decay over the others."""
    keras.utils.set_random_seed(SEED)
    with fast_precision():
        model = network()
    decay = warmed_up_cosine(LEARNING_RATE, ROUNDS * STEPS_PER_ROUND, STEPS_PER_ROUND)
    model.compile(keras.optimizers.Adam(decay, clipnorm=1.0), loss, jit_compile=False)
    return model


def train(pairs: list[depth_maps.Pair], state: Path) -> tuple[keras.Model, float]:
    """Train, or go on from the file `state`. Returns the model and the seconds it took."""
    run = TrainingRun(state, untrained)
    for index in run.rounds(ROUNDS, STEPS_PER_ROUND):
        inputs, targets = draw(pairs, np.random.default_rng([SEED, index]))
        history = run.model.fit(inputs, targets, BATCH_SIZE, shuffle=False, verbose=0).history
        print(f"{NAME}, round {index + 1}/{ROUNDS}: {history['loss'][0]:.3f}, {run.seconds:.0f} s", flush=True)
    return run.model, run.seconds


def measure(data: Path, weights: Path) -> dict[str, Any]:
    """The errors by how many points there are, on KITTI and on the motorcycle, as those of the paper's networks."""
    answer = scoring.answers(filled(network(), weights))
    kitti = scoring.by_percent(answer, scoring.kitti_pairs(data), scoring.KITTI_PERCENT)
    return {
        "command": "python -m recipes.depth_completion DATA\npython -m recipes.papers SETS",
        "metric": (
            "mean absolute error and RMSE over those pixels of a map that have a target, then the mean over the maps; "
            "metres on KITTI's test pairs, pixels of disparity on the motorcycle"
        ),
        "kitti": {MODEL: scoring.all_and_a_quarter(kitti)},
        "kitti_curve": {MODEL: scoring.curve(kitti)},
        "motorcycle_curve": {MODEL: scoring.motorcycle_curve(scoring.inverted(answer))},
    }


def facts(seconds: float) -> dict[str, Any]:
    """How the checkpoint was made."""
    return run_facts(steps=ROUNDS * STEPS_PER_ROUND, seed=SEED, seconds=seconds, packages=("pillow", "scipy"))


def main() -> None:
    """Train, write the weights, load them afresh, measure."""
    options = measuring(parser(__doc__))
    options.add_argument("data", type=Path, metavar="DATA", help="folder with the depth maps")
    arguments = options.parse_args()
    training_run.main(
        NAME,
        arguments,
        train=lambda state: train(depth_maps.find_pairs(arguments.data, "train"), state),
        facts=facts,
        measure=lambda weights: measure(arguments.data, weights),
    )


if __name__ == "__main__":
    main()
