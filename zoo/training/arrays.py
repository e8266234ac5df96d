"""Lessons from arrays of numbers: inputs and targets of one shape each, or an `.npz` file that holds the two."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import InputError
from zoo.registry import Entry
from zoo.training.examples import Examples
from zoo.training.lesson import Lesson, is_folder, pairs


class ArrayLesson(Lesson):
    """`input_rank` and `target_rank` count the axes of one input and one target."""

    data = "an .npz file with the arrays `inputs` and `targets`, or (inputs, targets)"
    input_rank: int
    target_rank: int

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        given = [
            (self.prepared(np.asarray(one)), np.asarray(target, "float32"))
            for one, target in pairs(_read(data) if is_folder(data) else data, self.data)
        ]
        for name, rank, arrays in (
            ("input", self.input_rank, [one for one, _ in given]),
            ("target", self.target_rank, [target for _, target in given]),
        ):
            shapes = {array.shape for array in arrays}
            if len(shapes) > 1 or len(arrays[0].shape) != rank or not all(np.isfinite(array).all() for array in arrays):
                raise InputError(
                    f"The {name}s have the shapes {sorted(shapes)}. Expected one shape of {rank} axes, finite numbers."
                )
        return Examples(tuple(given), given[0][0].shape)

    def prepared(self, one: np.ndarray) -> np.ndarray:
        """An input as the model takes it."""
        return one.astype(np.float32)

    def shape(self, entry: Entry, examples: Examples) -> tuple[int, ...]:
        return examples.shape

    def read(self, item, entry, shape, generator):
        return item


def _read(path: Any) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return file["inputs"], file["targets"]
    except (OSError, ValueError, KeyError, EOFError, IndexError, TypeError, AttributeError) as error:
        raise InputError(
            f"{Path(path)} cannot be read ({error}). Expected an .npz file from "
            "numpy.savez(path, inputs=..., targets=...)."
        ) from error
