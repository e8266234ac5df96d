"""Accuracy of a classifier: top-1, top-5, and per class."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.errors import InputError
from zoo.measures.measure import Measure


class ClassificationMeasure(Measure):
    """Percentages of the examples: `top1_percent`, `top5_percent` from six classes on, `class_percent`.

    Of classes with equal logits the first counts as the larger one, as in `zoo.predict`. Only classes with examples
    have a number of their own.

    Args:
        labels: What the classes are called, in the order of the logits.
        either: Classes that cannot be told apart by the name that the data have for them: the number that stands for
            them in the targets, and all those that count as right.

    Example:
        >>> import numpy as np
        >>> from zoo.measures.classification import ClassificationMeasure
        >>> measure = ClassificationMeasure(["cat", "dog"])
        >>> measure.add(np.array([[1.0, 0.0], [3.0, 2.0]]), np.array([0, 1]))
        >>> measure.results()
        {'count': 2, 'top1_percent': 50.0, 'class_percent': {'cat': 100.0, 'dog': 0.0}}
    """

    def __init__(self, labels: Sequence[str], either: Mapping[int, tuple[int, ...]] | None = None):
        super().__init__()
        self.labels, self.either = labels, either or {}

    def _rows_of(self, outputs, targets, inputs):
        """The target, the best class, and the target's place among all."""
        if outputs.ndim != 2 or outputs.shape[1] != len(self.labels) or targets.shape != outputs.shape[:1]:
            raise InputError(
                f"Outputs have the shape {outputs.shape}, targets {targets.shape}. Expected a logit for each of "
                f"{len(self.labels)} classes, and the number of the class of each example."
            )
        if targets.dtype.kind not in "iu" or targets.min() < 0 or targets.max() >= len(self.labels):
            raise InputError(f"A target is {targets.max()}. Expected ints from 0 to {len(self.labels) - 1}.")
        rows = []
        for logits, target in zip(outputs, targets.tolist(), strict=True):
            places = [_place(logits, number) for number in self.either.get(target, (target,))]
            rows.append((target, int(logits.argmax()), min(places)))
        return np.array(rows)

    def _numbers(self, rows) -> dict[str, float]:
        most = {"top1_percent": 1, "top5_percent": 5} if len(self.labels) > 5 else {"top1_percent": 1}
        return {name: _percent(rows[:, 2] < count) for name, count in most.items()}

    def _results(self, rows) -> dict[str, Any]:
        targets, _, places = rows.T
        names = Counter(self.labels[number] for number in np.unique(targets))
        by_class = {}
        for number in np.unique(targets).tolist():
            name = self.labels[number]
            name = name if names[name] == 1 else f"{name} ({number})"
            by_class[name] = _percent(places[targets == number] < 1)
        return {**self._numbers(rows), "class_percent": by_class}

    def poor(self) -> str:
        targets, _, places = self.rows().T
        label, most = Counter(targets.tolist()).most_common(1)[0]
        if (places < 1).sum() > most:
            return ""
        return (
            f"{_percent(places < 1):g} % of {len(targets)} validation examples are right, and "
            f"{100 * most / len(targets):.4g} % would be if all were called {self.labels[label]!r}"
        )

    def confusion(self) -> np.ndarray:
        """The confusion matrix, rows the labels and columns the predictions: int64 `(classes, classes)`."""
        counts = np.zeros((len(self.labels), len(self.labels)), np.int64)
        for target, best, _ in self.rows():
            counts[target, best] += 1
        return counts


def _place(logits: np.ndarray, number: int) -> int:
    """How many classes come before this one."""
    return int((logits > logits[number]).sum() + (logits[:number] == logits[number]).sum())


def _percent(hits: np.ndarray) -> float:
    return round(100 * float(hits.mean()), 2)
