"""Metrics of features, for networks without classes."""

from typing import Any

import numpy as np

from zoo.measures.measure import Measure, check_shapes

ROWS = 1024  # examples that are compared with all others at once


class NeighborMeasure(Measure):
    """`neighbor_percent`: the percentage of examples whose nearest neighbour has the same class.

    Likeness is the cosine; the example itself does not count. With two classes of equal size, features that know
    nothing give about 50.
    """

    def _rows_of(self, outputs, targets, inputs):
        flat = outputs.reshape(len(outputs), -1).astype(np.float64)
        flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
        return np.concatenate([flat, targets.reshape(-1, 1)], axis=1)

    def _results(self, rows) -> dict[str, Any]:
        if len(rows) < 2:
            return {}  # there is nothing to compare with
        return self._numbers(self._resampled(rows))

    def _resampled(self, rows) -> np.ndarray:
        """Whether the nearest neighbour among all others has the same class."""
        features, classes = rows[:, :-1].astype(np.float32), rows[:, -1]
        hits = []
        for start in range(0, len(features), ROWS):
            likeness = features[start : start + ROWS] @ features.T
            own = np.arange(len(likeness))
            likeness[own, start + own] = -np.inf
            hits.append(classes[likeness.argmax(axis=1)] == classes[start : start + ROWS])
        return np.concatenate(hits)

    def _numbers(self, rows) -> dict[str, float]:
        return {"neighbor_percent": round(100 * float(rows.mean()), 2)}


class SquaredErrorMeasure(Measure):
    """`mse`: mean squared error between the features and their targets."""

    def _rows_of(self, outputs, targets, inputs):
        check_shapes(outputs, targets)
        return np.square(outputs.astype("float64") - targets).mean(axis=-1)

    def _results(self, rows) -> dict[str, Any]:
        return {"mse": float(f"{rows.mean():.4g}")}
