"""Steps per second of zoo.finetune beside plain Keras `fit` of the same model on the same batches.

    python benchmarks/finetune.py [--rounds 5] [--network resnet18] [--size 64] [--steps 60]

TensorFlow, random weights (no speed depends on them), arrays in memory, augmentation on for both. `zoo` is the phase of
a run in which all layers learn, with all that a run does between its epochs: it keeps the weights and the optimizer on
disk, writes the log and shows the progress. `keras` is `compile` and `fit` of the same. Each round trains four epochs
with each, in a random order; the first, in which TensorFlow compiles, does not count. Both measure on as many held-out
examples after each epoch.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import zoo
from zoo.training.callbacks import SetEpoch
from zoo.training.preparation import Preparation, prepare
from zoo.training.recipe import completed
from zoo.training.running import train_model
from zoo.training.state import State

BATCH_SIZE = 16


def prepared(network: str, size: int, steps: int, epochs: int) -> Preparation:
    """A run that is ready to begin, with a fifth more examples than its steps take: those are held out."""
    generator = np.random.default_rng(0)
    count = BATCH_SIZE * steps * 5 // 4
    images = generator.integers(0, 256, (count, size, size, 3), "uint8")
    model = zoo.load(network, weights=None)
    model.spec = model.spec.model_copy(update={"input": model.spec.input.model_copy(update={"size": size})})
    recipe = completed(None, {"epochs": epochs, "freeze": "none", "batch_size": BATCH_SIZE, "mixed_precision": False})
    return prepare(model, (images, np.arange(count) % 4), recipe)


class Clock(keras.callbacks.Callback):
    """Seconds from the end of one epoch to the end of the next: with all that happens in between."""

    def __init__(self):
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch, logs=None):
        now = time.perf_counter()
        if epoch > 0:
            self.seconds.append(now - self.begin)
        self.begin = now


def zoo_seconds(network: str, size: int, steps: int, epochs: int) -> list[float]:
    """Of each epoch of a run but the first and the last."""
    clock = Clock()
    run = prepared(network, size, steps, epochs)
    with tempfile.TemporaryDirectory() as folder:
        train_model(run, State(Path(folder) / "state", run.settings), Path(folder) / "logs", [clock])
    return clock.seconds[1:]


def keras_seconds(network: str, size: int, steps: int, epochs: int) -> list[float]:
    """Of each epoch of plain `fit` but the first and the last, on the same batches, validation included."""
    clock = Clock()
    run = prepared(network, size, steps, epochs)
    run.model.compile(
        keras.optimizers.Adam(1e-3),
        run.loss,
        metrics=run.trainer.metrics(run.model.spec),
        jit_compile=False,
    )
    callbacks = [clock, SetEpoch(run.training)]
    run.model.fit(
        run.training, validation_data=run.validation, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks
    )
    return clock.seconds[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--network", default="resnet18")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    contenders = {"zoo": zoo_seconds, "keras": keras_seconds}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    generator = np.random.default_rng(0)
    for _ in range(options.rounds):
        for name in generator.permutation(list(contenders)):
            measured = contenders[name](options.network, options.size, options.steps, 4)
            seconds[name].append(statistics.median(measured))
            keras.utils.clear_session()
    print(f"{options.network}, {options.size} x {options.size}, batches of {BATCH_SIZE}, {options.rounds} rounds")
    for name, values in seconds.items():
        speeds = sorted(options.steps / value for value in values)
        print(f"{name:6} {statistics.median(speeds):7.2f} steps/s, {speeds[0]:.2f} to {speeds[-1]:.2f}")
    ratio = statistics.median(a / b for a, b in zip(seconds["keras"], seconds["zoo"], strict=True))
    print(f"zoo runs at {100 * ratio:.1f} % of the speed of plain fit, median over the rounds")


if __name__ == "__main__":
    main()
