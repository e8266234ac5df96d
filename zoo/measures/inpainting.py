"""The error of filled holes."""

from typing import Any

import numpy as np

from zoo.measures.measure import Measure, check_shapes


class InpaintingMeasure(Measure):
    """`hole_mae`: mean absolute error of the pixels in the holes, 0 to 255, per image, averaged over the images.

    Targets are whole images; `inputs["mask"]`, `(batch, height, width, 1)`, is 0 in the holes. An image without a hole
    has no error.
    """

    def _rows_of(self, outputs, targets, inputs):
        check_shapes(outputs, targets)
        errors = []
        for output, target, mask in zip(outputs, targets, np.asarray(inputs["mask"]), strict=True):
            hole = mask[..., 0] == 0
            errors.append(float(np.abs(output - target)[hole].mean()) if hole.any() else 0.0)
        return np.array(errors)

    def _results(self, rows) -> dict[str, Any]:
        return {"hole_mae": round(float(rows.mean()), 3)}
