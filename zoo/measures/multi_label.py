"""Mean average precision and F1 of labels, any number of which apply."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.errors import InputError
from zoo.measures.measure import Measure


class MultiLabelMeasure(Measure):
    """Percentages: `map_percent`, `f1_percent`, `macro_f1_percent` and `class_ap_percent`.

    Average precision is the mean of the precisions at each target, ordered by score, and its mean is over the labels
    that some example has. A label applies from a score of a half, a logit of 0; `f1_percent` counts the labels of all
    examples together, `macro_f1_percent` is the mean over the same labels. All are as in scikit-learn.

    Args:
        labels: What the labels are called, in the order of the logits.

    Example:
        >>> import numpy as np
        >>> from zoo.measures.multi_label import MultiLabelMeasure
        >>> measure = MultiLabelMeasure(["cat", "dog"])
        >>> measure.add(np.array([[2.0, 1.0], [1.0, -1.0]]), np.array([[1, 1], [0, 1]]))
        >>> measure.results()["map_percent"], measure.results()["f1_percent"]
        (100.0, 66.67)
    """

    def __init__(self, labels: Sequence[str]):
        super().__init__()
        self.labels = labels

    def _rows_of(self, outputs, targets, inputs):
        """Logits and targets, `(batch, 2, labels)`."""
        if outputs.ndim != 2 or outputs.shape[1] != len(self.labels) or targets.shape != outputs.shape:
            raise InputError(
                f"Outputs have the shape {outputs.shape}, targets {targets.shape}. Expected a logit for each of "
                f"{len(self.labels)} labels, and as many targets."
            )
        if not np.isin(targets, (0, 1)).all():
            raise InputError(
                f"Targets go from {targets.min():g} to {targets.max():g}. Expected 1 for the labels of an example, "
                "else 0."
            )
        return np.stack([outputs, targets], axis=1)

    def _results(self, rows) -> dict[str, Any]:
        targets, found = rows[:, 1] > 0, rows[:, 0] >= 0
        precisions = _precisions(rows)
        hits, wrong = (targets & found).sum(axis=0), (targets ^ found).sum(axis=0)
        by_label = 2 * hits / np.maximum(1, 2 * hits + wrong)
        return {
            "map_percent": _percent(np.mean([*precisions.values()] or [0.0])),
            "f1_percent": _percent(2 * hits.sum() / max(1, 2 * hits.sum() + wrong.sum())),
            "macro_f1_percent": _percent(np.mean(by_label[[*precisions]]) if precisions else 0.0),
            "class_ap_percent": {self.labels[number]: _percent(value) for number, value in precisions.items()},
        }

    def poor(self) -> str:
        targets, precisions = self.rows()[:, 1], _precisions(self.rows())
        shares = targets.mean(axis=0)[[*precisions]]
        if not precisions or (average := float(np.mean([*precisions.values()]))) > shares.mean():
            return ""
        return (
            f"the mean average precision is {_percent(average):g} % on {len(targets)} validation examples, and an "
            f"order by chance has {_percent(shares.mean()):g} %"
        )


def _precisions(rows: np.ndarray) -> dict[int, float]:
    """The average precision of each label that an example has."""
    outputs, targets = rows[:, 0], rows[:, 1] > 0
    present = np.flatnonzero(targets.any(axis=0)).tolist()
    return {number: average_precision(outputs[:, number], targets[:, number]) for number in present}


def average_precision(scores: np.ndarray, targets: np.ndarray) -> float:
    """The mean of the precisions at each target, of examples in the order of their scores; equal scores together.

    Args:
        scores: `(n,)`.
        targets: `(n,)`, bool, at least one of them true.
    """
    order = np.argsort(-scores, kind="stable")
    scores, targets = scores[order], targets[order]
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)  # of each group of equal scores
    hits = np.cumsum(targets)[last]
    return float((np.diff(hits, prepend=0) * hits / (last + 1)).sum() / hits[-1])


def _percent(share: Any) -> float:
    return round(100 * float(share), 2)
