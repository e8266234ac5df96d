"""Metrics of coordinates: the accuracy of pixels, and distances in pixels."""

from typing import Any

import numpy as np

from zoo.measures.measure import Measure, check_shapes


class PixelMeasure(Measure):
    """`accuracy_percent`: how often the pixel with the largest logit, of `(batch, height, width)`, is the target (x,
    y)."""

    def __init__(self) -> None:
        self._hits = 0

    def _add(self, outputs, targets, inputs) -> None:
        best = outputs.reshape(len(outputs), -1).argmax(axis=-1)
        rows, columns = np.divmod(best, outputs.shape[2])
        self._hits += int((np.stack([columns, rows], axis=-1) == targets).all(axis=-1).sum())

    def _results(self) -> dict[str, Any]:
        return {"accuracy_percent": round(100 * self._hits / self.count, 2)}


class DistanceMeasure(Measure):
    """`mean_distance_pixels`: between (x, y) and the target, `(batch, 2)` both."""

    def __init__(self) -> None:
        self._distances = 0.0

    def _add(self, outputs, targets, inputs) -> None:
        check_shapes(outputs, targets)
        self._distances += float(np.linalg.norm(outputs.astype("float64") - targets, axis=-1).sum())

    def _results(self) -> dict[str, Any]:
        return {"mean_distance_pixels": round(self._distances / self.count, 4)}
