"""Images per second of the networks that state an accuracy on ImageNet-1k: what the web page draws beside it.

    python benchmarks/speeds.py [--largest 46] [--rounds 5] [--output zoo/site/speeds.json]

TensorFlow, tf.function without XLA, batches of 8 images of the checkpoint's own size, random weights (no speed
depends on them), the median of the rounds after two to warm up. What the output contains is not measured again.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import zoo
from zoo.catalogue.registry import registry
from zoo.processor import described

BATCH_SIZE = 8
MOST_PIXELS = 320  # a side


def images_per_second(name: str, size: int, rounds: int) -> float:
    """Of a network that is given float32 images `(8, size, size, 3)`, 0 to 255."""
    model = zoo.load(name, weights=None, input_shape=(size, size, 3))
    images = tf.constant(np.random.default_rng(0).uniform(0, 255, (BATCH_SIZE, size, size, 3)), tf.float32)
    function = tf.function(lambda x: model(x, training=False))
    seconds = []
    for _ in range(rounds + 2):
        start = time.perf_counter()
        function(images).numpy()
        seconds.append(time.perf_counter() - start)
    return BATCH_SIZE / statistics.median(seconds[2:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=float, default=46, help="millions of parameters")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("zoo/site/speeds.json"))
    options = parser.parse_args()
    known = json.loads(options.output.read_text())["images_per_second"] if options.output.is_file() else {}
    machine = f"{described()}, TensorFlow {tf.__version__}, batches of {BATCH_SIZE}"
    for entry in registry().entries.values():
        size, millions = entry.input.size, entry.parameters_millions
        key = f"{entry.architecture} {size}"
        if "top1_percent" not in entry.metrics or key in known or millions is None or size is None:
            continue
        if millions > options.largest or size > MOST_PIXELS:
            continue
        known[key] = float(f"{images_per_second(entry.architecture, size, options.rounds):.3g}")
        print(f"{key}: {known[key]:g} images/s", flush=True)
        keras.utils.clear_session()
        options.output.write_text(
            json.dumps({"machine": machine, "images_per_second": dict(sorted(known.items()))}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
