"""Intersection over union of predicted and target pixels or voxels."""

from typing import Any

import numpy as np

from zoo.measures.measure import Measure, check_shapes


class OverlapMeasure(Measure):
    """`iou_percent`: intersection over union of what has a logit above 0 and what has the target 1, over all data.

    Outputs and targets are `(batch, ...)` of one shape; an axis of one channel may be missing in the targets.
    """

    def __init__(self) -> None:
        self._both = self._either = 0

    def _add(self, outputs, targets, inputs) -> None:
        if outputs.ndim == targets.ndim + 1 and outputs.shape[-1] == 1:
            targets = targets[..., None]
        check_shapes(outputs, targets)
        found, right = outputs > 0, targets > 0.5
        self._both += int(np.sum(found & right))
        self._either += int(np.sum(found | right))

    def _results(self) -> dict[str, Any]:
        return {"iou_percent": round(100 * self._both / max(1, self._either), 2)}
