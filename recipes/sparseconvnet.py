"""Train the sparsity-invariant network and its plain twin on KITTI's depths, each on one density and on random ones.

    python recipes/sparseconvnet.py DATA [--model sparseconvnet] [--output zoo/checkpoints]

DATA is a folder as zoo/datasets/depth_maps.py describes it. A run is seeded, and it resumes where it was stopped. It
writes the weights, `sparseconvnet-random-density.safetensors` (names are the Keras variable paths), and beside them a
`.json`: how they were made, and what all four networks and nearest-neighbour filling score.
"""

import functools
import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from recipes import sparseconvnet_scores as scoring
from recipes.training_run import TrainingRun, filled, measuring, parser, run_facts, write_weights
from zoo.architectures import sparseconvnet
from zoo.datasets import depth_maps
from zoo.training.optimizers import warmed_up_cosine

SEED = 0
BATCH_SIZE = 2
PATCH = (128, 192)  # pixels, height and width
STEPS_PER_ROUND = 100
ROUNDS_PER_STATE = 5
ROUNDS = 10
LEARNING_RATE = 1e-2
SHARES = (0.05, 0.9)  # of the points: a random one between them, as often below 0.21 as above
FILLED = 0.25  # how often the points are filled up first: the laser alone is never dense
BUILDERS = {"sparseconvnet": sparseconvnet.sparseconvnet, "depth-convnet": sparseconvnet.convnet}

Batch = tuple[dict[str, np.ndarray], np.ndarray]


def network(name: str) -> keras.Model:
    """From depths and their mask, both `(b, h, w, 1)`, to depths."""
    inputs = {key: keras.Input((None, None, 1), name=key) for key in ("image", "mask")}
    return keras.Model(inputs, BUILDERS[name](**inputs))


@functools.lru_cache(maxsize=256)
def read(pair: depth_maps.Pair) -> tuple[np.ndarray, np.ndarray]:
    """A training pair, without the rows above the first target."""
    sparse, dense = depth_maps.read_pair(pair)
    top = min(int(dense.any(axis=1).argmax()), len(dense) - PATCH[0])
    return sparse[top:], dense[top:]


def one_density(sparse: np.ndarray, dense: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The input of the network: the points of `sparse`, always."""
    return sparse


def random_density(sparse: np.ndarray, dense: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The input of the network: a random share of all points, or of what nearest-neighbour filling makes of them."""
    points = np.where(sparse > 0, sparse, dense)
    if generator.random() < FILLED:
        points = scoring.nearest(points)
    share = math.exp(generator.uniform(*np.log(SHARES)))
    return np.where(generator.random(dense.shape) < share, points, 0)


DENSITIES: dict[str, Callable] = {"random-density": random_density, "one-density": one_density}
RUNS = list(itertools.product(BUILDERS, DENSITIES))


def draw(pairs: list[depth_maps.Pair], density: str, generator: np.random.Generator) -> Batch:
    """Patches for one round, half of them mirrored: the input, its mask, and the target outside of it."""
    told, wanted = [], []
    for index in generator.integers(len(pairs), size=STEPS_PER_ROUND * BATCH_SIZE):
        maps = np.stack(read(pairs[index]))
        top, left = (generator.integers(length - side + 1) for length, side in zip(maps.shape[1:], PATCH, strict=True))
        mirror = int(generator.integers(2)) * 2 - 1
        sparse, dense = maps[:, top : top + PATCH[0], left : left + PATCH[1]][..., ::mirror]
        told.append(DENSITIES[density](sparse, dense, generator))
        wanted.append(np.where(told[-1] > 0, 0, dense))
    image = np.stack(told)[..., None].astype("float32")
    return {"image": image, "mask": (image > 0).astype("float32")}, np.stack(wanted)[..., None].astype("float32")


def absolute_metres(target, prediction):
    """Mean absolute error over the pixels that have a target."""
    known = keras.ops.cast(target > 0, "float32")
    return keras.ops.sum(known * keras.ops.abs(target - prediction)) / keras.ops.maximum(keras.ops.sum(known), 1)


def untrained(name: str) -> keras.Model:
    """The network, with a warm-up over one round and a cosine decay over the others."""
    keras.utils.set_random_seed(SEED)
    model = network(name)
    decay = warmed_up_cosine(LEARNING_RATE, ROUNDS * STEPS_PER_ROUND, STEPS_PER_ROUND)
    model.compile(keras.optimizers.Adam(decay), absolute_metres)
    return model


def train(pairs: list[depth_maps.Pair], name: str, density: str, state: Path) -> tuple[keras.Model, float]:
    """Train, or go on from the file `state`. Returns the model and the seconds it took."""
    run = TrainingRun(state, lambda: untrained(name))
    for index in run.rounds(ROUNDS, STEPS_PER_ROUND, ROUNDS_PER_STATE):
        inputs, targets = draw(pairs, density, np.random.default_rng([SEED, index]))
        loss = run.model.fit(inputs, targets, BATCH_SIZE, shuffle=False, verbose=0).history["loss"][0]
        print(f"{state.stem}, round {index + 1}/{ROUNDS}: {loss:.3f} m, {run.seconds:.0f} s", flush=True)
    return run.model, run.seconds


def measure(data: Path, folder: Path) -> dict[str, dict]:
    """The tables: nearest-neighbour filling and each network whose weights are in the folder, loaded afresh."""
    methods = {"nearest neighbour": scoring.nearest}
    for name, density in RUNS:
        weights = folder / f"{name}-{density}.safetensors"
        if weights.is_file():
            methods[f"{name}.{density}"] = scoring.answers(filled(network(name), weights))
    pairs = scoring.kitti_pairs(data)
    kitti = {method: scoring.by_percent(answer, pairs, scoring.KITTI_PERCENT) for method, answer in methods.items()}
    return {
        "kitti": {method: scoring.all_and_a_quarter(measured) for method, measured in kitti.items()},
        "kitti_curve": {method: scoring.curve(measured) for method, measured in kitti.items()},
        "motorcycle_curve": {method: scoring.motorcycle_curve(answer) for method, answer in methods.items()},
    }


def report(name: str, density: str, seconds: float) -> dict:
    """What a checkpoint is and how it was made; the tables are added when all are there."""
    packages = ("pillow", "scikit-image", "scipy")
    return {
        "command": "python recipes/sparseconvnet.py DATA",
        "metric": (
            "mean absolute error (and RMSE) over those pixels of a map that have a target, then the mean over the "
            "maps; metres on KITTI's test pairs, pixels of disparity on the motorcycle"
        ),
        "network": name,
        "density": density,
        **run_facts(steps=ROUNDS * STEPS_PER_ROUND, seed=SEED, seconds=seconds, packages=packages),
    }


def write(folder: Path, name: str, density: str, trained: keras.Model, seconds: float) -> None:
    """The weights and the report."""
    path = folder / f"{name}-{density}.safetensors"
    write_weights(trained, path)
    path.with_suffix(".json").write_text(json.dumps(report(name, density, seconds)))


def main() -> None:
    """Train each network on each density, write the weights, load them afresh, measure."""
    options = measuring(parser(__doc__))
    options.add_argument("data", type=Path, metavar="DATA", help="folder with the depth maps")
    options.add_argument("--model", choices=BUILDERS, help="train this network only")
    arguments = options.parse_args()
    runs = [run for run in RUNS if arguments.model in (None, run[0]) and not arguments.measure]
    pairs = depth_maps.find_pairs(arguments.data, "train") if runs else []
    states = [arguments.state / f"{name}-{density}.state" for name, density in runs]
    for (name, density), state in zip(runs, states, strict=True):
        write(arguments.output, name, density, *train(pairs, name, density, state))
    for state in states:
        state.unlink()  # the next run starts anew
    tables = measure(arguments.data, arguments.output)
    for name, density in RUNS:
        record = arguments.output / f"{name}-{density}.json"
        if record.is_file():
            record.write_text(json.dumps(json.loads(record.read_text()) | tables, indent=2) + "\n")
    print(json.dumps(tables, indent=2))


if __name__ == "__main__":
    main()
