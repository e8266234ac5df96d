"""Images per second of whole networks: this zoo beside keras.applications and, where it is installed, timm on PyTorch.

    python benchmarks/inference.py [--rounds 15] [--networks resnet50 ...]

TensorFlow, 224 x 224 pixels, batches of 1 and 8, random weights (no result depends on them), one process. `graph` is
tf.function, `XLA` is tf.function with jit_compile=True. Every number is the median over interleaved rounds: each
contender runs once, in a random order, then each again, so that all of them meet the same machine. Our networks include
the normalisation of raw pixels, the others get normalised ones.
"""

import argparse
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

NETWORKS = {
    "resnet50": keras.applications.ResNet50,
    "resnetblur50": None,
    "mobilenetv2_100": keras.applications.MobileNetV2,
    "legacy_xception": keras.applications.Xception,
}


def timm_contenders(name: str, images: np.ndarray) -> dict[str, Callable[[], object]]:
    """timm's network, eager and compiled; nothing, and why, where there is no timm."""
    try:
        import timm
        import torch
    except (ImportError, RuntimeError) as error:
        print(f"timm left out: {error}")
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

    def add(label, model):
        for suffix, jit_compile in (("graph", False), ("XLA", True)):
            function = tf.function(lambda x, model=model: model(x, training=False), jit_compile=jit_compile)
            found[f"{label} {suffix}"] = lambda function=function: function(pixels).numpy()

    add("zoo", zoo.load(name, weights=None, input_shape=(224, 224, 3)))
    if NETWORKS[name] is not None:
        add("keras.applications", NETWORKS[name](weights=None, input_shape=(224, 224, 3), classifier_activation=None))
    return found | timm_contenders(name, images)


def measure(functions: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each function over interleaved rounds, after two to warm up."""
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
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    arguments = parser.parse_args()
    columns = ["zoo graph", "zoo XLA", "keras.applications graph", "keras.applications XLA"]
    columns += ["timm eager", "timm torch.compile"]
    print(f"images/s, 224 x 224, {described()}, medians of {arguments.rounds} interleaved rounds\n")
    print(f"| network | batch | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}")
    for name in arguments.networks:
        for batch_size in (1, 8):
            medians = measure(contenders(name, batch_size), arguments.rounds)
            cells = [f"{batch_size / medians[column]:.1f}" if column in medians else "-" for column in columns]
            print(f"| {name} | {batch_size} | {' | '.join(cells)} |", flush=True)
            keras.utils.clear_session()


if __name__ == "__main__":
    main()
