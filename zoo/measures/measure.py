"""What every measure of a task does."""

import abc
from typing import Any

import numpy as np

from zoo.errors import InputError


class Measure(abc.ABC):
    """Metrics over a data set, collected batch by batch; `count` is the number of examples."""

    count = 0

    def add(self, outputs: Any, targets: Any, inputs: Any = None) -> None:
        """Count a batch.

        Args:
            outputs: The model's outputs: an array `(batch, ...)`.
            targets: The targets, as the task's trainer reads them: an array `(batch, ...)`.
            inputs: The inputs, for metrics that compare with something simpler: an array, or a dict of them.

        Raises:
            InputError: The outputs are not numbers, or do not fit the targets.
        """
        outputs, targets = np.asarray(outputs), np.asarray(targets)
        if not np.isfinite(outputs).all():
            raise InputError(
                "The model gives NaN or infinity. Expected finite outputs: its weights are damaged, or its training "
                "diverged; train with a smaller learning_rate."
            )
        if len(outputs) != len(targets):
            raise InputError(f"There are {len(outputs)} outputs and {len(targets)} targets. Expected as many.")
        self._add(outputs, targets, inputs)
        self.count += len(outputs)

    def results(self) -> dict[str, Any]:
        """The metrics, which `json.dumps` takes: `count`, numbers by name, and dicts of numbers per class.

        Without any target, as in masks that are all void, there is the count alone.
        """
        return {"count": self.count, **(self._results() if self.count else {})}

    def poor(self) -> str:
        """Why the outputs are no better than a guess that never looks at the inputs, in words; empty where they are,
        or where nobody knows what a guess would give. At least one example has been counted."""
        return ""

    @abc.abstractmethod
    def _add(self, outputs: np.ndarray, targets: np.ndarray, inputs: Any) -> None:
        """Count a batch of finite outputs."""

    @abc.abstractmethod
    def _results(self) -> dict[str, Any]:
        """The metrics without the count, at least one example having been counted."""


def check_shapes(outputs: np.ndarray, targets: np.ndarray) -> None:
    """Check that there is a target for each number.

    Raises:
        InputError: There is not.
    """
    if outputs.shape != targets.shape:
        raise InputError(
            f"Targets have the shape {targets.shape[1:]}, outputs of the model {outputs.shape[1:]}. Expected the same."
        )
