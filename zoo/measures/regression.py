"""Mean absolute error and coefficient of determination of quantities."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.measures.measure import Measure, check_shapes


class RegressionMeasure(Measure):
    """`r2`, the mean over the quantities; of a single one `mae` in its unit, of several `quantity_mae`, `quantity_r2`.

    R² is the share of the targets' variance that the outputs explain: 1 where they are equal, 0 for their mean.
    A quantity whose targets are all equal has none, and counts as 0.

    Args:
        names: What the quantities are called, in the order of the outputs.

    Example:
        >>> import numpy as np
        >>> from zoo.measures.regression import RegressionMeasure
        >>> measure = RegressionMeasure(["age"])
        >>> measure.add(np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [2.0], [3.0]]))
        >>> measure.results()
        {'count': 3, 'mae': 0.333333, 'r2': 0.5}
    """

    def __init__(self, names: Sequence[str]):
        super().__init__()
        self.names = names

    def _rows_of(self, outputs, targets, inputs):
        """Outputs and targets, `(batch, 2, quantities)`."""
        check_shapes(outputs, targets)
        return np.stack([outputs, targets], axis=1).astype(np.float64)

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Outputs and targets, `(n, quantities)` each."""
        return self.rows()[:, 0], self.rows()[:, 1]

    def _results(self, rows) -> dict[str, Any]:
        mae, r2 = np.abs(rows[:, 0] - rows[:, 1]).mean(axis=0), _r2(rows)
        if len(self.names) == 1:
            return {"mae": _rounded(mae[0]), "r2": _rounded(r2[0])}
        by_name = {
            "quantity_mae": {name: _rounded(value) for name, value in zip(self.names, mae, strict=True)},
            "quantity_r2": {name: _rounded(value) for name, value in zip(self.names, r2, strict=True)},
        }
        return {"r2": _rounded(r2.mean()), **by_name}

    def poor(self) -> str:
        if self.count < 2 or (r2 := float(_r2(self.rows()).mean())) > 0:
            return ""
        return f"R² is {r2:.4g} on {self.count} validation examples, and 0 for the mean of the targets"


def _r2(rows: np.ndarray) -> np.ndarray:
    outputs, targets = rows[:, 0], rows[:, 1]
    missed = np.square(outputs - targets).sum(axis=0)
    all_of_it = np.square(targets - targets.mean(axis=0)).sum(axis=0)
    return np.where(all_of_it > 0, 1 - missed / np.where(all_of_it > 0, all_of_it, 1), 0.0)


def _rounded(value: Any) -> float:
    return float(f"{float(value):.6g}")
