"""Metrics of coordinates: the accuracy of pixels, and distances in pixels."""

from typing import Any

import numpy as np

from zoo.measures.measure import Measure, check_shapes


class PixelMeasure(Measure):
    """`accuracy_percent`: how often the pixel with the largest logit, of `(batch, height, width)`, is the target (x,
    y)."""

    def _rows_of(self, outputs, targets, inputs):
        best = outputs.reshape(len(outputs), -1).argmax(axis=-1)
        rows, columns = np.divmod(best, outputs.shape[2])
        return (np.stack([columns, rows], axis=-1) == targets).all(axis=-1)

    def _results(self, rows) -> dict[str, Any]:
        return {"accuracy_percent": round(100 * float(rows.mean()), 2)}


class DistanceMeasure(Measure):
    """`mean_distance_pixels`: between (x, y) and the target, `(batch, 2)` both."""

    def _rows_of(self, outputs, targets, inputs):
        check_shapes(outputs, targets)
        return np.linalg.norm(outputs.astype("float64") - targets, axis=-1)

    def _results(self, rows) -> dict[str, Any]:
        return {"mean_distance_pixels": round(float(rows.mean()), 4)}
