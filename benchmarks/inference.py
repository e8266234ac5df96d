"""Images per second of whole networks: this zoo beside keras.applications and, where it is installed, timm on PyTorch.

    python -m benchmarks.inference [--rounds 15] [--processes 5] [--networks resnet50 ...]

TensorFlow, 224 x 224 pixels, batches of 1 and 8, random weights (no result depends on them). `graph` is tf.function,
`XLA` is tf.function with jit_compile=True. In each process the contenders run by turns, in a random order, so that all
meet the same machine; but where a process has its arrays in memory makes one or the other a few percent faster for as
long as it lives, so there are several processes. Every number is the median of their medians.

Our networks take raw pixels. Those of keras.applications do too here, by `preprocess_input` in the same graph; timm's
get normalised ones, and so does `zoo, normalised`, which is ours without its first layer.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import zoo
from zoo.processor import described

applications = keras.applications
NETWORKS = {
    "resnet50": (applications.ResNet50, applications.resnet.preprocess_input),
    "resnetblur50": None,
    "mobilenetv2_100": (applications.MobileNetV2, applications.mobilenet_v2.preprocess_input),
    "legacy_xception": (applications.Xception, applications.xception.preprocess_input),
}
OURS, THEIRS = "zoo graph", "keras.applications graph"
COLUMNS = (
    OURS,
    "zoo, normalised graph",
    "zoo XLA",
    THEIRS,
    "keras.applications XLA",
    "timm eager",
    "timm torch.compile",
)


def timm_contenders(name: str, images: np.ndarray) -> dict[str, Callable[[], object]]:
    """timm's network, eager and compiled; nothing where there is no timm."""
    try:
        import timm
        import torch
    except (ImportError, RuntimeError):
        return {}
    pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)) / 255)
    network = timm.create_model(name).eval()
    compiled = torch.compile(network)

    def run(function):
        def call():
            with torch.inference_mode():
                return function(pixels)

        return call

    return {"timm eager": run(network), "timm torch.compile": run(compiled)}


def contenders(name: str, batch_size: int) -> dict[str, Callable[[], object]]:
    images = np.random.default_rng(0).uniform(0, 255, (batch_size, 224, 224, 3)).astype("float32")
    pixels = tf.constant(images)
    found = {}

    def add(label, network, ways=("graph", "XLA")):
        for way in ways:
            function = tf.function(network, jit_compile=way == "XLA")
            found[f"{label} {way}"] = lambda function=function: function(pixels).numpy()

    ours = zoo.load(name, weights=None, input_shape=(224, 224, 3))
    normalised = keras.Model(ours.get_layer("normalization").output, ours.output)
    add("zoo", lambda x: ours(x, training=False))
    add("zoo, normalised", lambda x: normalised(x, training=False), ways=("graph",))
    if NETWORKS[name] is not None:
        build, preprocess_input = NETWORKS[name]
        theirs = build(weights=None, input_shape=(224, 224, 3), classifier_activation=None)
        add("keras.applications", lambda x: theirs(preprocess_input(x), training=False))
    return found | timm_contenders(name, images)


def measure(name: str, batch_size: int, rounds: int) -> dict[str, float]:
    """Median seconds of each contender over interleaved rounds, after two to warm up."""
    functions = contenders(name, batch_size)
    seconds: dict[str, list[float]] = {label: [] for label in functions}
    generator = np.random.default_rng(0)
    for _ in range(rounds + 2):
        # In another order each time: whoever runs after another library finds that one's threads still spinning.
        for label, function in generator.permutation(list(functions.items())):
            start = time.perf_counter()
            function()
            seconds[label].append(time.perf_counter() - start)
    return {label: statistics.median(values[2:]) for label, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    arguments = parser.parse_args()
    print(f"images/s, 224 x 224, {described()}, {arguments.processes} processes of {arguments.rounds} rounds\n")
    columns = [*COLUMNS, "zoo / keras.applications, graphs"]
    print(f"| network | batch | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}")
    for name in arguments.networks:
        for batch_size in (1, 8):
            with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
                work = [(name, batch_size, arguments.rounds)] * arguments.processes
                found = pool.starmap(measure, work, chunksize=1)
            cells = [
                f"{batch_size / statistics.median(each[column] for each in found):.1f}" if column in found[0] else "-"
                for column in COLUMNS
            ]
            print(f"| {name} | {batch_size} | {' | '.join(cells)} | {ratios(found)} |", flush=True)


def ratios(found: list[dict[str, float]]) -> str:
    """Our images per second beside theirs, as graphs: the median of the processes, and the lowest and highest."""
    if THEIRS not in found[0]:
        return "-"
    each = sorted(one[THEIRS] / one[OURS] for one in found)
    return f"{statistics.median(each):.2f} ({each[0]:.2f} to {each[-1]:.2f})"


if __name__ == "__main__":
    main()
