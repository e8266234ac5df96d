"""How well a semantic segmentation agrees with the truth: global accuracy, mean class accuracy, and mean IoU.

The three measures of SegNet's tables (https://arxiv.org/abs/1511.00561, section 4): `G`, `C` and `mIoU`. They come from
one confusion matrix over all pictures of a data set, in which pixels without a class are not counted.
"""

from typing import NamedTuple

import numpy as np


class SegmentationScores(NamedTuple):
    """All in percent. A class that occurs neither in the truth nor in the answers has no IoU: NaN, left out."""

    global_accuracy: float
    mean_class_accuracy: float
    mean_iou: float
    class_iou: tuple[float, ...]


def confusion_matrix(truth: np.ndarray, answer: np.ndarray, num_classes: int) -> np.ndarray:
    """Count the pixels of each true class by the class that was answered.

    Args:
        truth: Classes of the pixels, any shape of ints; outside 0 to `num_classes - 1` they are void and not counted.
        answer: What the network said, of the same shape, 0 to `num_classes - 1`.
        num_classes: How many classes there are.

    Returns:
        int64 `(num_classes, num_classes)`: rows are the truth, columns the answers. Those of several pictures add up.
    """
    known = (truth >= 0) & (truth < num_classes)
    pairs = num_classes * truth[known].astype(np.int64) + answer[known]
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def segmentation_scores(confusion: np.ndarray) -> SegmentationScores:
    """The measures of a confusion matrix, rows the truth and columns the answers.

    Returns:
        Global accuracy, the share of right pixels; mean class accuracy, the mean over the classes of the share of their
        pixels that was found; mean IoU, the mean of intersection over union of the true and the answered pixels.
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
