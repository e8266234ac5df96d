"""Intersection over union of predicted and target pixels or voxels."""

from typing import Any

import numpy as np

from zoo.measures.measure import Measure, check_shapes


class OverlapMeasure(Measure):
    """`iou_percent`: intersection over union of what has a logit above 0 and what has the target 1, over all data.

    Outputs and targets are `(batch, ...)` of one shape; an axis of one channel may be missing in the targets.
    """

    def _rows_of(self, outputs, targets, inputs):
        if outputs.ndim == targets.ndim + 1 and outputs.shape[-1] == 1:
            targets = targets[..., None]
        check_shapes(outputs, targets)
        found, right = outputs > 0, targets > 0.5
        parts = found & right, found | right
        return np.stack([part.reshape(len(part), -1).sum(axis=1) for part in parts], axis=1)

    def _results(self, rows) -> dict[str, Any]:
        both, either = rows.sum(axis=0).tolist()
        return {"iou_percent": round(100 * both / max(1, either), 2)}
