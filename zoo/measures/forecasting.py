"""Errors of forecasts, and of repeating the last season for comparison."""

from typing import Any

import numpy as np

from zoo.measures.measure import Measure, check_shapes


class ForecastingMeasure(Measure):
    """`mae` in the unit of the series, and `seasonal_naive_mae`: what repeating the last `season` steps would give."""

    def __init__(self, season: int):
        self.season = season
        self._errors: list[np.ndarray] = []
        self._repeated: list[np.ndarray] = []

    def _add(self, outputs, targets, inputs) -> None:
        check_shapes(outputs, targets)
        series = np.asarray(inputs)[..., 0]
        steps = np.arange(targets.shape[1]) % self.season - self.season
        self._errors.append(np.abs(outputs - targets).mean(axis=1))
        self._repeated.append(np.abs(series[:, steps] - targets).mean(axis=1))

    def _results(self) -> dict[str, Any]:
        return {
            "mae": round(float(np.concatenate(self._errors).mean()), 4),
            "seasonal_naive_mae": round(float(np.concatenate(self._repeated).mean()), 4),
        }
