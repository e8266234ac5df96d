"""Losses of detection: of places, most of which stand for nothing."""

from typing import Any

from zoo.training.detectors import IGNORED

ALPHA, GAMMA = 0.25, 2.0  # of the focal loss, as RetinaNet's paper and FCOS' take them
BETA = 1 / 9  # where smooth L1 becomes a line, as in Detectron


def objects_and_others(target: Any) -> tuple[Any, Any]:
    """1 for each place that stands for an object, `(batch, places)`, and how many they are, at least 1."""
    from keras import ops

    is_object = ops.cast(target[..., 0] >= 0, "float32")
    return is_object, ops.maximum(ops.sum(is_object), 1.0)


def focal(labels: Any, logits: Any) -> Any:
    """The focal loss of each class at each place, a sum over all that are known, by how many stand for an object.

    Lin et al., 2017, https://arxiv.org/abs/1708.02002, section 3.2. Keras' own is a mean, and of scores that it clips.

    Args:
        labels: `(batch, places)`: a class, or below 0 the background, `IGNORED` where nobody knows.
        logits: `(batch, places, classes)`.
    """
    from keras import ops

    is_class = ops.cast(labels[..., None] == ops.cast(ops.arange(logits.shape[-1]), labels.dtype), "float32")
    is_known = ops.cast(labels != IGNORED, "float32")
    # Of a logit x the cross entropies of yes and no are softplus(-x) and softplus(x), and no overflow is in the way.
    score = ops.sigmoid(logits)
    yes = ALPHA * (1 - score) ** GAMMA * ops.softplus(-logits)
    no = (1 - ALPHA) * score**GAMMA * ops.softplus(logits)
    losses = ops.sum(is_class * yes + (1 - is_class) * no, axis=-1)
    objects = ops.maximum(ops.sum(ops.cast(labels >= 0, "float32")), 1.0)
    return ops.sum(losses * is_known) / objects


def smooth_l1(difference: Any, beta: float = BETA) -> Any:
    """The size of each number, and nearer to 0 than `beta` its square, so that the slope is smooth: the shape stays.

    Girshick, 2015, https://arxiv.org/abs/1504.08083, equation 3.
    """
    from keras import ops

    size = ops.abs(difference)
    return ops.where(size < beta, 0.5 * size * size / beta, size - 0.5 * beta)
