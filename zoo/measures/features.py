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

    def __init__(self) -> None:
        self._features: list[np.ndarray] = []
        self._classes: list[np.ndarray] = []

    def _add(self, outputs, targets, inputs) -> None:
        flat = outputs.reshape(len(outputs), -1).astype(np.float32)
        self._features.append(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12))
        self._classes.append(targets)

    def _results(self) -> dict[str, Any]:
        if self.count < 2:
            return {}  # there is nothing to compare with
        features, classes = np.concatenate(self._features), np.concatenate(self._classes)
        hits = 0
        for start in range(0, len(features), ROWS):
            likeness = features[start : start + ROWS] @ features.T
            own = np.arange(len(likeness))
            likeness[own, start + own] = -np.inf
            hits += int((classes[likeness.argmax(axis=1)] == classes[start : start + ROWS]).sum())
        return {"neighbor_percent": round(100 * hits / len(features), 2)}


class SquaredErrorMeasure(Measure):
    """`mse`: mean squared error between the features and their targets."""

    def __init__(self) -> None:
        self._errors: list[np.ndarray] = []

    def _add(self, outputs, targets, inputs) -> None:
        check_shapes(outputs, targets)
        self._errors.append(np.square(outputs.astype("float64") - targets).mean(axis=-1))

    def _results(self) -> dict[str, Any]:
        return {"mse": float(f"{np.concatenate(self._errors).mean():.4g}")}
