"""How wrong maps of depths are, as the KITTI benchmark counts: an error for each map, then their mean over the maps.

Pixels without truth do not count. The RMSE is the root over one map, so it is not the root over all pixels of all maps.
"""

import math

import numpy as np

from zoo.errors import InputError


class DepthScores:
    """Mean absolute error and root of the mean squared error, gathered map by map.

    Example:
        >>> import numpy as np
        >>> from zoo.depth_scores import DepthScores
        >>> scores = DepthScores()
        >>> scores.add(np.array([[1.0, 2.0]]), truth=np.array([[4.0, 0.0]]))
        >>> scores.results()
        {'mae_metres': 3.0, 'rmse_metres': 3.0}
    """

    def __init__(self) -> None:
        self.maps = 0
        self._absolute = 0.0
        self._root = 0.0

    def add(self, depths: np.ndarray, truth: np.ndarray) -> None:
        """Count one map.

        Args:
            depths: What was answered, metres, `(height, width)`.
            truth: What is right, metres, `(height, width)`, 0 where nobody knows.

        Raises:
            InputError: The two differ in size, or no pixel has truth.
        """
        if depths.shape != truth.shape:
            raise InputError(
                f"A map of depths has the shape {depths.shape}, its truth {truth.shape}. Expected both (height, width)."
            )
        errors = depths.astype("float64")[truth > 0] - truth[truth > 0]
        if not errors.size:
            raise InputError(
                "A map of depths has no pixel of truth. Expected at least one that is not 0; leave it out."
            )
        self.maps += 1
        self._absolute += float(np.abs(errors).mean())
        self._root += math.sqrt(np.square(errors).mean())

    def results(self) -> dict[str, float]:
        """`mae_metres` and `rmse_metres`, means over the maps; NaN before the first."""
        maps = self.maps or math.nan
        return {"mae_metres": self._absolute / maps, "rmse_metres": self._root / maps}
