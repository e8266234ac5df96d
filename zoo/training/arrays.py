"""Trainers from arrays of numbers: inputs and targets of one shape each, or an `.npz` file that contains the two."""

import os
import zipfile
from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.errors import InputError
from zoo.imaging.files import open_file, readable
from zoo.training.examples import Examples
from zoo.training.trainer import TaskTrainer, is_folder, pairs


class ArrayTrainer(TaskTrainer):
    """`input_rank` and `target_rank` count the axes of one input and one target, as the model takes and gives them."""

    data = "an .npz file with the arrays `inputs` and `targets`, or (inputs, targets)"
    input_rank: int
    target_rank: int

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        given = [
            (self.prepared(_numbers(one, "input")), _numbers(target, "target").astype(np.float32))
            for one, target in pairs(_read(data) if is_folder(data) else data, self.data)
        ]
        for position, (one, target) in enumerate(given):
            if one.ndim != self.input_rank or target.ndim != self.target_rank:
                raise InputError(
                    f"Input {position} has the shape {one.shape}, its target {target.shape}. Expected "
                    f"{self.input_rank} and {self.target_rank} axes."
                )
            self.check(entry, one, target)
        shapes = {(one.shape, target.shape) for one, target in given}
        return Examples(tuple(given), given[0][0].shape if len(shapes) == 1 else ())

    def check(self, entry: Entry, one: np.ndarray, target: np.ndarray) -> None:
        """Check that a target fits its input and the model.

        Raises:
            InputError: It does not.
        """

    def prepared(self, one: np.ndarray) -> np.ndarray:
        """An input as the model takes it."""
        return one.astype(np.float32)

    def shape(self, entry: Entry, examples: Examples) -> tuple[int, ...]:
        if not examples.shape:
            shapes = sorted({one.shape for one, _ in examples.items})
            raise InputError(f"The inputs have the shapes {shapes}. Expected one shape, to train on: crop or pad them.")
        return examples.shape

    def read(self, item, entry, shape, generator):
        return item


def _numbers(values: Any, what: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        kind = "NaN or infinity" if array.dtype.kind == "f" else f"values of the dtype {array.dtype}"
        raise InputError(f"The {what}s contain {kind}. Expected finite numbers.")
    return array


def _read(path: Any) -> tuple[np.ndarray, np.ndarray]:
    name, expected = os.fsdecode(path), "Expected a file from numpy.savez(path, inputs=..., targets=...)."
    with readable(name, "file of arrays", expected), open_file(name) as opened:
        if not zipfile.is_zipfile(opened):
            raise ValueError("it is not an .npz file")
        opened.seek(0)
        file = np.load(opened, allow_pickle=False)
        if missing := {"inputs", "targets"} - set(file.files):
            raise ValueError(f"it has no {' and no '.join(sorted(missing))}")
        return file["inputs"], file["targets"]
