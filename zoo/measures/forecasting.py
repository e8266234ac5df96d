"""Errors of forecasts, and of repeating the last season for comparison."""

from typing import Any

import numpy as np

from zoo.measures.measure import Measure, check_shapes


class ForecastingMeasure(Measure):
    """`mae` in the unit of the series, and `seasonal_naive_mae`: what repeating the last `season` steps would give."""

    def __init__(self, season: int):
        super().__init__()
        self.season = season

    def _rows_of(self, outputs, targets, inputs):
        check_shapes(outputs, targets)
        series = np.asarray(inputs)[..., 0]
        steps = np.arange(targets.shape[1]) % self.season - self.season
        answers = outputs, series[:, steps]
        return np.stack([np.abs(each - targets).mean(axis=1) for each in answers], axis=1)

    def _results(self, rows) -> dict[str, Any]:
        mae, repeated = rows.mean(axis=0).tolist()
        return {"mae": round(mae, 4), "seasonal_naive_mae": round(repeated, 4)}
