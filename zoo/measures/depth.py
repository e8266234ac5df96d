"""Errors of depth maps, as in the KITTI benchmark: an error for each map, then their mean over the maps.

Pixels without a target do not count. The RMSE is the root over one map, so it is not the root over all pixels of all
maps.
"""

import math
from typing import Any

import numpy as np

from zoo.errors import InputError
from zoo.measures.measure import Measure


class DepthMeasure(Measure):
    """`mae_metres` and `rmse_metres`: mean absolute error and root of the mean squared error, means over the maps.

    Outputs and targets are metres, `(batch, height, width)` or with an axis of one channel; targets are 0 where nobody
    knows. A map that has no target anywhere, such as a crop, is not counted.

    Example:
        >>> import numpy as np
        >>> from zoo.measures.depth import DepthMeasure
        >>> measure = DepthMeasure()
        >>> measure.add(np.array([[[1.0, 2.0]]]), np.array([[[4.0, 0.0]]]))
        >>> measure.results()
        {'count': 1, 'mae_metres': 3.0, 'rmse_metres': 3.0}
    """

    def _rows_of(self, outputs, targets, inputs):
        if outputs.shape != targets.shape:
            raise InputError(
                f"Depth maps have the shape {outputs.shape[1:]}, their targets {targets.shape[1:]}. Expected both "
                "(height, width)."
            )
        return np.stack([_errors(depths, target) for depths, target in zip(outputs, targets, strict=True)])

    def _results(self, rows) -> dict[str, Any]:
        known = rows[~np.isnan(rows[:, 0])]
        if not len(known):
            return {"count": 0}
        mae, rmse = known.mean(axis=0).tolist()
        return {"count": len(known), "mae_metres": round(mae, 6), "rmse_metres": round(rmse, 6)}

    def _numbers(self, rows) -> dict[str, float]:
        return {name: value for name, value in self._results(rows).items() if name != "count"}


def _errors(depths: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """The two errors of a map; NaN where it has no target."""
    errors = depths.astype("float64")[target > 0] - target[target > 0]
    if not errors.size:
        return math.nan, math.nan
    return float(np.abs(errors).mean()), math.sqrt(np.square(errors).mean())
