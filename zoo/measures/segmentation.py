"""Metrics of semantic segmentation: global accuracy, mean class accuracy, and mean IoU.

The three metrics of SegNet's tables (https://arxiv.org/abs/1511.00561, section 4): `G`, `C` and `mIoU`. They come from
one confusion matrix over all images of a data set, in which pixels without a class are not counted.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from zoo.errors import InputError
from zoo.imaging import label_maps
from zoo.measures.measure import Measure


class SegmentationScores(NamedTuple):
    """All in percent. A class that occurs neither in the targets nor in the predictions has no IoU: NaN, left out."""

    global_accuracy: float
    mean_class_accuracy: float
    mean_iou: float
    class_iou: tuple[float, ...]


class SegmentationMeasure(Measure):
    """`global_accuracy_percent`, `mean_class_accuracy_percent`, `mean_iou_percent`, and `class_iou_percent` per class.

    Outputs are logits, `(batch, any height, any width, classes)`, enlarged to the targets as in `zoo.predict`; targets
    are classes, `(batch, height, width)`, and what is not a class, such as -1 or 255, is not counted.

    Args:
        labels: What the classes are called, in the order of the logits; two for a single logit, none and the class.
    """

    def __init__(self, labels: Sequence[str]):
        super().__init__()
        self.labels = labels

    def confusion(self) -> np.ndarray:
        """Rows the targets and columns the predictions, of all images: int64 `(classes, classes)`."""
        return self.rows().sum(axis=0, dtype=np.int64)

    def _rows_of(self, outputs, targets, inputs):
        """The confusion matrix of each image."""
        if outputs.ndim != 4 or max(outputs.shape[-1], 2) != len(self.labels) or targets.ndim != 3:
            raise InputError(
                f"Outputs have the shape {outputs.shape}, targets {targets.shape}. Expected a map of logits for each "
                f"of {len(self.labels)} classes, and label maps (batch, height, width)."
            )
        found = [label_maps.label_map(logits, *target.shape) for logits, target in zip(outputs, targets, strict=True)]
        pairs = zip(targets, found, strict=True)
        return np.stack([confusion_matrix(target, each, len(self.labels)).astype(np.int32) for target, each in pairs])

    def _results(self, rows) -> dict[str, Any]:
        confusion = rows.sum(axis=0, dtype=np.int64)
        if not confusion.any():
            return {}
        scores = segmentation_scores(confusion)
        return {
            "global_accuracy_percent": round(scores.global_accuracy, 2),
            "mean_class_accuracy_percent": round(scores.mean_class_accuracy, 2),
            "mean_iou_percent": round(scores.mean_iou, 2),
            "class_iou_percent": {
                name: round(iou, 2) for name, iou in zip(self.labels, scores.class_iou, strict=True) if iou == iou
            },
        }

    def poor(self) -> str:
        confusion = self.confusion()
        right, most, total = np.trace(confusion), confusion.sum(axis=1).max(), confusion.sum()
        if right > most or not total:
            return ""
        return (
            f"{100 * right / total:.4g} % of the validation pixels are right, and {100 * most / total:.4g} % would be "
            "if all were of one class"
        )


def confusion_matrix(target: np.ndarray, answer: np.ndarray, num_classes: int) -> np.ndarray:
    """Count the pixels of each true class by the predicted class.

    Args:
        target: Classes of the pixels, any shape of ints; outside 0 to `num_classes - 1` they are void and not counted.
        answer: Predicted classes, of the same shape, 0 to `num_classes - 1`.
        num_classes: How many classes there are.

    Returns:
        int64 `(num_classes, num_classes)`: rows are the targets, columns the predictions. Those of several images add
        up.
    """
    known = (target >= 0) & (target < num_classes)
    pairs = num_classes * target[known].astype(np.int64) + answer[known]
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def segmentation_scores(confusion: np.ndarray) -> SegmentationScores:
    """The metrics of a confusion matrix, rows the targets and columns the predictions.

    Returns:
        Global accuracy, the share of right pixels; mean class accuracy, the mean over the classes of the share of their
        pixels that was found; mean IoU, the mean of intersection over union of the true and the predicted pixels.
    """
    right, true, answered = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN
        accuracy = 100 * right / true
        iou = 100 * right / (true + answered - right)
        total = 100 * right.sum() / confusion.sum()
    return SegmentationScores(
        global_accuracy=float(total),
        mean_class_accuracy=float(np.nanmean(accuracy)),
        mean_iou=float(np.nanmean(iou)),
        class_iou=tuple(iou.tolist()),
    )
