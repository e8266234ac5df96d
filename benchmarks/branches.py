"""What fusing the branches of re-parameterised networks saves: milliseconds for one image, before and after.

    python benchmarks/branches.py [NAME ...] [--rounds 20]

One image of the checkpoint's size, random weights (no speed depends on them). TensorFlow: a tf.function without XLA of
the model, and of what `zoo.export.saved_model(..., inference_only=True)` saves. ONNX Runtime: the file of the model as
it stands, and the one that `zoo.export.onnx` writes. Both are run by turns; the medians of the rounds are printed.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import onnxruntime
import tensorflow as tf

import zoo
from zoo.export.converted import input_signature
from zoo.export.folding import folded
from zoo.export.onnx_operations import register_operations
from zoo.export.variants import plain_settings

NAMES = (
    "repvgg_a0",
    "mobileone_s0",
    "mobileone_s1",
    "repvit_m0_9",
    "repghostnet_100",
    "ghostnetv3_100",
    "lcnetv2_small",
)


def in_tensorflow(model: keras.Model, images: np.ndarray) -> Callable[[], object]:
    function, tensor = tf.function(lambda x: model(x, training=False)), tf.constant(images)
    return lambda: function(tensor).numpy()


def in_onnx_runtime(model: keras.Model, images: np.ndarray) -> Callable[[], object]:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.onnx")
        model.export(path, format="onnx", input_signature=input_signature(model, None, None), verbose=False)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {session.get_inputs()[0].name: images})


def milliseconds(runs: list[Callable[[], object]], rounds: int) -> list[float]:
    """The median of each, run by turns after two rounds to warm up."""
    taken: list[list[float]] = [[] for _ in runs]
    for turn in range(rounds + 2):
        for run, times in zip(runs, taken, strict=True):
            start = time.perf_counter()
            run()
            if turn >= 2:
                times.append(1e3 * (time.perf_counter() - start))
    return [statistics.median(times) for times in taken]


@plain_settings()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    register_operations()
    print("| network | layers | TensorFlow, ms | ONNX Runtime, ms |\n| --- | --- | --- | --- |")
    for name in options.names:
        size = zoo.info(name).input.size
        model = zoo.load(name, weights=None, input_shape=(size, size, 3))
        network = folded(model)
        images = np.random.default_rng(0).uniform(0, 255, (1, size, size, 3)).astype("float32")
        cells = [f"{len(model.layers)} → {len(network.layers)}"]
        for run in (in_tensorflow, in_onnx_runtime):
            before, after = milliseconds([run(model, images), run(network, images)], options.rounds)
            cells.append(f"{before:.1f} → {after:.1f} ({before / after:.2f} times)")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
