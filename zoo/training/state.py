"""How far a run is, on disk: everything that decides how it goes on, in one file that is there whole or not at all."""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import safetensors.numpy
from safetensors import safe_open

from zoo.errors import InputError

LAST, BEST = "last.safetensors", "best.safetensors"


def check_same(folder: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """See that the run in `folder` is the one that is asked for.

    Raises:
        InputError: It is another.
    """
    wanted = json.loads(json.dumps(wanted))
    keys = [key for key in {**found, **wanted} if found.get(key) != wanted.get(key)]
    if "plan" in keys:
        keys += [f"plan.{key}" for key, value in wanted["plan"].items() if found["plan"].get(key) != value]
        keys.remove("plan")
    if keys:
        raise InputError(
            f"{folder} holds another run: {', '.join(keys)} differ. Expected the same arguments and data to go on with "
            "it; else choose another output, or resume=False to begin anew."
        )


class State:
    """After how many epochs, with which history, and with which weights and optimizer.

    Args:
        folder: Where the files lie. What lies there is gone on with, if it has the same `settings`.
        settings: All that decides the outcome, as `json.dumps` takes it.

    Raises:
        InputError: The folder holds another run.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]):
        self.folder, self.settings = folder, settings
        self.epoch, self.waited, self.best, self.best_epoch = 0, 0, math.inf, 0
        self.stopped = False
        self.history: dict[str, list[float]] = {}
        if (folder / LAST).is_file():
            self._read()

    def _read(self) -> None:
        with safe_open(self.folder / LAST, framework="numpy") as file:
            facts = json.loads(file.metadata()["state"])
        check_same(self.folder.parent, facts.pop("settings"), self.settings)
        vars(self).update(facts)

    def record(self, logs: dict[str, float], monitored: str) -> bool:
        """Add an epoch to the history; whether it is the best so far."""
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))
        self.epoch += 1
        is_better = logs[monitored] < self.best
        if is_better:
            self.best, self.best_epoch, self.waited = float(logs[monitored]), self.epoch - 1, 0
        else:
            self.waited += 1
        return is_better

    def write(self, model: keras.Model, *, is_best: bool) -> None:
        """Keep the model and its optimizer. The best weights first: a run killed in between writes the same again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if is_best:
            _replace(self.folder / BEST, _tensors("model", model.variables), {})
        facts = {key: value for key, value in vars(self).items() if key != "folder"}
        tensors = _tensors("model", model.variables) | _tensors("optimizer", model.optimizer.variables)
        _replace(self.folder / LAST, tensors, {"state": json.dumps(facts)})

    def restore(self, model: keras.Model) -> None:
        """Give the model the weights of the last epoch."""
        _assign(model.variables, "model", self.folder / LAST)

    def restore_optimizer(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Give a built optimizer what it had after the last epoch."""
        _assign(optimizer.variables, "optimizer", self.folder / LAST)

    def restore_best(self, model: keras.Model) -> None:
        """Give the model the weights of the best epoch."""
        _assign(model.variables, "model", self.folder / BEST)


def _tensors(prefix: str, variables: Sequence[Any]) -> dict[str, np.ndarray]:
    values = (keras.ops.convert_to_numpy(variable) for variable in variables)
    return {f"{prefix}/{index}": np.asarray(value, order="C") for index, value in enumerate(values)}


def _assign(variables: Sequence[Any], prefix: str, path: Path) -> None:
    tensors = safetensors.numpy.load_file(path)
    for index, variable in enumerate(variables):
        variable.assign(tensors[f"{prefix}/{index}"])


def _replace(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    partial = path.with_name(f"partial-{path.name}")
    safetensors.numpy.save_file(tensors, partial, metadata)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)
