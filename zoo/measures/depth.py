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

    def __init__(self) -> None:
        self._maps = 0
        self._absolute = 0.0
        self._root = 0.0

    def _add(self, outputs, targets, inputs) -> None:
        if outputs.shape != targets.shape:
            raise InputError(
                f"Depth maps have the shape {outputs.shape[1:]}, their targets {targets.shape[1:]}. Expected both "
                "(height, width)."
            )
        for depths, target in zip(outputs, targets, strict=True):
            errors = depths.astype("float64")[target > 0] - target[target > 0]
            if errors.size:
                self._maps += 1
                self._absolute += float(np.abs(errors).mean())
                self._root += math.sqrt(np.square(errors).mean())

    def _results(self) -> dict[str, Any]:
        if not self._maps:
            return {"count": 0}
        return {
            "count": self._maps,
            "mae_metres": round(self._absolute / self._maps, 6),
            "rmse_metres": round(self._root / self._maps, 6),
        }
