"""The error of filled holes."""

from typing import Any

import numpy as np

from zoo.measures.measure import Measure, check_shapes


class InpaintingMeasure(Measure):
    """`hole_mae`: mean absolute error of the pixels in the holes, 0 to 255, per image, averaged over the images.

    Targets are whole images; `inputs["mask"]`, `(batch, height, width, 1)`, is 0 in the holes. An image without a hole
    has no error.
    """

    def __init__(self) -> None:
        self._errors: list[float] = []

    def _add(self, outputs, targets, inputs) -> None:
        check_shapes(outputs, targets)
        for output, target, mask in zip(outputs, targets, np.asarray(inputs["mask"]), strict=True):
            hole = mask[..., 0] == 0
            self._errors.append(float(np.abs(output - target)[hole].mean()) if hole.any() else 0.0)

    def _results(self) -> dict[str, Any]:
        return {"hole_mae": round(float(np.mean(self._errors)), 3)}
