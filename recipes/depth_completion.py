"""Train the sparsity-invariant network that improves a fill by diffusion, on KITTI's depths.

    python recipes/depth_completion.py DATA [--output zoo/checkpoints]

DATA is a folder as zoo/datasets/depth_maps.py describes it. The run is seeded, and resumes where it was stopped. It
writes the weights, `sparseconvnet-diffusion.safetensors` (names are the Keras variable paths), and beside them a
`.json`: how they were made. `recipes/papers.py` measures them.
"""

import functools
import json
import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from scipy.ndimage import minimum_filter

from recipes.sparseconvnet import Batch, read
from recipes.training_run import TrainingRun, parser, run_facts, write_weights
from zoo.architectures import sparseconvnet
from zoo.datasets import depth_maps

NAME = "sparseconvnet-diffusion"
SEED = 0
BATCH_SIZE = 4
PATCH = (128, 192)  # pixels, height and width
STEPS_PER_ROUND = 100
ROUNDS = 10
LEARNING_RATE = 2e-3
SHARES = (0.02, 0.95)  # of the points: a random one between them, as often below 0.14 as above
HALVED = 0.5  # how often a map of half the size is drawn from, whose points are four times as dense
STRIPED = 0.5  # how often every second band of rows is left out, as the laser leaves out what is between its lines
BANDS = (2, 8)  # rows of a band
SQUARES_PER_METRE = 8.0  # of the loss: from here on the squared error weighs more than the absolute one


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


def metres(target, prediction):
    """Absolute and squared error over the pixels that have a target: the two metrics in one."""
    is_known = ops.cast(target > 0, "float32")
    errors = ops.abs(target - prediction)
    total = ops.sum(is_known * (errors + ops.square(errors) / SQUARES_PER_METRE))
    return total / ops.maximum(ops.sum(is_known), 1)


def untrained() -> keras.Model:
    """The network, computing in bfloat16: a warm-up over three rounds and a cosine decay over the others."""
    keras.utils.set_random_seed(SEED)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = network()
    finally:
        keras.config.set_dtype_policy("float32")
    warmup = 3 * STEPS_PER_ROUND
    decay = keras.optimizers.schedules.CosineDecay(
        LEARNING_RATE / 10, ROUNDS * STEPS_PER_ROUND - warmup, warmup_target=LEARNING_RATE, warmup_steps=warmup
    )
    model.compile(keras.optimizers.Adam(decay, clipnorm=1.0), metres, jit_compile=False)
    return model


def train(pairs: list[depth_maps.Pair], state: Path) -> tuple[keras.Model, float]:
    """Train, or go on from the file `state`. Returns the model and the seconds it took."""
    run = TrainingRun(state, untrained)
    for index in run.rounds(ROUNDS, STEPS_PER_ROUND):
        inputs, targets = draw(pairs, np.random.default_rng([SEED, index]))
        loss = run.model.fit(inputs, targets, BATCH_SIZE, shuffle=False, verbose=0).history["loss"][0]
        print(f"{NAME}, round {index + 1}/{ROUNDS}: {loss:.3f}, {run.seconds:.0f} s", flush=True)
    return run.model, run.seconds


def report(seconds: float) -> dict[str, Any]:
    """How the checkpoint was made."""
    return {
        "command": "python recipes/depth_completion.py DATA",
        **run_facts(steps=ROUNDS * STEPS_PER_ROUND, seed=SEED, seconds=seconds, packages=("pillow",)),
    }


def main() -> None:
    """Train, and write the weights."""
    options = parser(__doc__)
    options.add_argument("data", type=Path, metavar="DATA", help="folder with the depth maps")
    arguments = options.parse_args()
    state = arguments.state / f"{NAME}.state"
    trained, seconds = train(depth_maps.find_pairs(arguments.data, "train"), state)
    weights = arguments.output / f"{NAME}.safetensors"
    write_weights(trained, weights)
    weights.with_suffix(".json").write_text(json.dumps(report(seconds), indent=2) + "\n")
    state.unlink()  # the next run starts over


if __name__ == "__main__":
    main()
