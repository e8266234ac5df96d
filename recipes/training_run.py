"""A training run: rounds that a stop cannot undo, and what is left of it, the weights and the facts.

    run = TrainingRun(Path("runs/small.state"), untrained)
    for index in run.rounds(40, steps_per_round=100):
        run.model.fit(*draw(np.random.default_rng([0, index])), shuffle=False)
    write_weights(run.model, Path("small.safetensors"))

Where what is drawn depends on nothing but the index of its round, a stopped run ends with the bits of an unbroken one.
"""

import argparse
import contextlib
import importlib.metadata
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import safetensors.numpy

from zoo.backend import bfloat16_is_fast, dtype_policy
from zoo.processor import described


def parser(description: str) -> argparse.ArgumentParser:
    """The options that every recipe has; `measuring` adds another."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("zoo/checkpoints"), help="folder for the weights")
    parser.add_argument("--state", type=Path, default=Path("runs"), help="folder from which a stopped run resumes")
    return parser


def measuring(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The same with the option to measure what is there."""
    parser.add_argument("--measure", action="store_true", help="measure the weights that are there, without training")
    return parser


def main(
    name: str,
    options: argparse.Namespace,
    *,
    train: Callable[[Path], tuple[keras.Model, float]],
    facts: Callable[[float], dict[str, Any]],
    measure: Callable[[Path], dict[str, Any]],
    dtype: str = "float32",
) -> None:
    """Train, write the weights, load them afresh, measure; with `--measure` only that.

    Args:
        name: Of the checkpoint: `name.safetensors` are its weights, `name.json` what was measured and how it was made.
        options: Those of `measuring(parser(...))`.
        train: From the file of the state to the model, and the seconds it took.
        facts: From those seconds to how the checkpoint was made.
        measure: From the file of weights to its metrics.
        dtype: Of the weights in the file.
    """
    weights, state = options.output / f"{name}.safetensors", options.state / f"{name}.state"
    record = weights.with_suffix(".json")
    if options.measure:
        known = json.loads(record.read_text())
    else:
        trained, seconds = train(state)
        write_weights(trained, weights, dtype)
        state.unlink()  # the next run starts anew
        known = facts(seconds)
    measured = measure(weights)
    text = json.dumps(measured | {key: fact for key, fact in known.items() if key not in measured}, indent=2)
    record.write_text(text + "\n")
    print(text)


@contextlib.contextmanager
def fast_precision() -> Iterator[None]:
    """Within it, new layers compute in bfloat16 where that is faster here, else in float32; weights are float32 in
    both."""
    with dtype_policy("mixed_bfloat16" if bfloat16_is_fast() else "float32"):
        yield


class TrainingRun:
    """A model that learns in rounds, `untrained()` at first; where there is a file `state`, it resumes from there.

    `notes` are what else the state keeps: names and values of JSON.
    """

    def __init__(self, state: Path, untrained: Callable[[], keras.Model]):
        self.state = state
        self.model = untrained()
        self.model.optimizer.build(self.model.trainable_variables)
        self.notes: dict[str, Any] = {}
        self._earlier_seconds = 0.0
        if state.is_file():
            self._read_state()
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has been under way; what came between the last state and a stop does not count, as it is lost."""
        return self._earlier_seconds + time.monotonic() - self._start

    def rounds(self, count: int, steps_per_round: int, rounds_per_state: int = 1) -> Iterator[int]:
        """The indices of the rounds that are left; the state is written after every few, and after the last."""
        for index in range(int(self.model.optimizer.iterations) // steps_per_round, count):
            yield index
            if (index + 1) % rounds_per_state == 0 or index + 1 == count:
                self._write_state()

    def _variables(self) -> dict[str, keras.Variable]:
        """All that decides how it continues: weights, seeds of dropout, and what the optimizer has in mind."""
        return {
            f"{index}": variable for index, variable in enumerate(self.model.variables + self.model.optimizer.variables)
        }

    def _read_state(self) -> None:
        with safetensors.safe_open(self.state, framework="np") as file:
            progress = json.loads(file.metadata()["progress"])
            for name, variable in self._variables().items():
                variable.assign(file.get_tensor(name))
        self.notes, self._earlier_seconds = progress["notes"], progress["seconds"]

    def _write_state(self) -> None:
        """One file for all of it, so that no stop comes in between; whole or not at all."""
        self.state.parent.mkdir(parents=True, exist_ok=True)
        tensors = {name: _array(variable) for name, variable in self._variables().items()}
        progress = json.dumps({"seconds": self.seconds, "notes": self.notes})
        partial = self.state.with_name(f"partial-{self.state.name}")
        safetensors.numpy.save_file(tensors, partial, {"progress": progress})
        partial.replace(self.state)


def _array(variable: keras.Variable) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(variable), order="C")


def write_weights(model: keras.Model, path: Path, dtype: str = "float32") -> None:
    """The file of weights; their names are the paths of the variables."""
    tensors = {weight.path: _array(weight).astype(dtype) for weight in model.weights}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(safetensors.numpy.save(tensors))


def filled(model: keras.Model, path: Path) -> keras.Model:
    """The model with the weights of a file."""
    tensors = safetensors.numpy.load_file(path)
    for weight in model.weights:
        weight.assign(tensors[weight.path])
    return model


def run_facts(*, steps: int, seed: int, seconds: float, packages: tuple[str, ...] = ()) -> dict[str, Any]:
    """How a checkpoint was made; `packages` are those that had a say beside Keras, TensorFlow and NumPy."""
    versions = {name: importlib.metadata.version(name) for name in ("keras", "tensorflow", "numpy", *packages)}
    return {
        "training_steps": steps,
        "seed": seed,
        "seconds": round(seconds),
        "backend": keras.backend.backend(),
        "processor": described(),
        "versions": versions,
    }
