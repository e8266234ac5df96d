"""What every measure of a task does."""

import abc
from typing import Any

import numpy as np

from zoo.errors import InputError

RESAMPLES = 1000  # of the bootstrap
OUTSIDE = 2.5  # percent of them on each side of an interval


class Measure(abc.ABC):
    """Metrics over a data set, collected batch by batch; `count` is the number of examples.

    What a metric needs of each example is a row of numbers, so that it can be computed from any choice of examples.
    """

    def __init__(self) -> None:
        self.count = 0
        self._batches: list[np.ndarray] = []

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
        self._batches.append(self._rows_of(outputs, targets, inputs))
        self.count += len(outputs)

    def rows(self) -> np.ndarray:
        """What was collected, a row per example."""
        return np.concatenate(self._batches)

    def results(self) -> dict[str, Any]:
        """The metrics, which `json.dumps` takes: `count`, numbers by name, and dicts of numbers per class.

        Without any target, as in masks that are all void, there is the count alone.
        """
        return {"count": self.count, **(self._results(self.rows()) if self.count else {})}

    def numbers(self) -> dict[str, float]:
        """The metrics that are one number, of one example at least."""
        return self._numbers(self.rows())

    def intervals(self, seed: int = 0) -> dict[str, list[float]]:
        """The 95 % confidence interval of each metric that is one number, by the percentile bootstrap.

        A thousand times as many examples are drawn again, with repetition (Efron and Tibshirani, 1993, An Introduction
        to the Bootstrap, section 13.3). It says what other examples of the same kind would have given, and nothing of
        examples of another kind.
        """
        if self.count < 2:
            return {}
        rows, generator = self._resampled(self.rows()), np.random.default_rng(seed)
        drawn = [self._numbers(rows[generator.integers(len(rows), size=len(rows))]) for _ in range(RESAMPLES)]
        bounds = {}
        for name in drawn[0]:
            values = [numbers[name] for numbers in drawn if np.isfinite(numbers.get(name, np.nan))]
            bounds[name] = [float(f"{bound:.6g}") for bound in np.percentile(values, [OUTSIDE, 100 - OUTSIDE])]
        return bounds

    def _resampled(self, rows: np.ndarray) -> np.ndarray:
        """The rows that are drawn from: other ones where a row depends on all examples."""
        return rows

    def _numbers(self, rows: np.ndarray) -> dict[str, float]:
        """The metrics that are one number."""
        return {name: value for name, value in self._results(rows).items() if not isinstance(value, dict)}

    def poor(self) -> str:
        """Why the outputs are no better than a guess that never looks at the inputs, in words; empty where they are,
        or where nobody knows what a guess would give. At least one example has been counted."""
        return ""

    @abc.abstractmethod
    def _rows_of(self, outputs: np.ndarray, targets: np.ndarray, inputs: Any) -> np.ndarray:
        """What the metrics need of each example of a batch of finite outputs: `(batch, ...)`."""

    @abc.abstractmethod
    def _results(self, rows: np.ndarray) -> dict[str, Any]:
        """The metrics without the count, of one row at least."""


def check_shapes(outputs: np.ndarray, targets: np.ndarray) -> None:
    """Check that there is a target for each number.

    Raises:
        InputError: There is not.
    """
    if outputs.shape != targets.shape:
        raise InputError(
            f"Targets have the shape {targets.shape[1:]}, outputs of the model {outputs.shape[1:]}. Expected the same."
        )
