"""Losses of segmentation by name: cross entropy, Dice, focal, and sums of them. Pixels without a class do not count."""

from collections.abc import Callable
from typing import Any

import numpy as np

from zoo.arguments import did_you_mean
from zoo.errors import InputError
from zoo.imaging.label_maps import of_two_classes

FOCUS = 2.0  # gamma of the focal loss, as its section 4 takes it


def segmentation_loss(name: str = "cross-entropy", weights: np.ndarray | None = None) -> Callable[[Any, Any], Any]:
    """The loss of this name, for `compile`: of classes `(b, h, w)` and logits `(b, any h, any w, classes)` a number.

    Classes below 0 are unknown; logits of a smaller map are enlarged as in `zoo.predict`; a single logit is that of
    class 1 against 0.

    Args:
        name: `"cross-entropy"`, `"dice"`, `"focal"`, or a sum of them, such as `"cross-entropy+dice"`.
        weights: Weights of the classes in cross entropy and focal loss, `(classes,)`; by default all are equal. Dice
            balances them itself.

    Raises:
        InputError: There is no such loss.

    Example:
        >>> import numpy as np
        >>> from zoo.training.losses import segmentation_loss
        >>> target, logits = np.array([[[0, 1, -1]]]), np.array([[[[9.0, 0.0], [0.0, 9.0], [9.0, 0.0]]]])
        >>> round(float(segmentation_loss("cross-entropy+dice")(target, logits)), 4)
        0.0002
    """
    names = name.split("+") if isinstance(name, str) else []
    unknown = [each for each in names if each not in LOSSES]
    if not names or unknown or len(set(names)) < len(names):
        raise InputError(
            f"loss={name!r:.100}. Expected {', '.join(LOSSES)}, or several of them joined by '+'. "
            f"{did_you_mean(unknown[0], [*LOSSES]) if unknown else ''}".rstrip()
        )

    def loss(target: Any, logits: Any) -> Any:
        classes, known, logits = matched(target, logits)
        return sum(LOSSES[each](classes, known, logits, weights) for each in names)

    loss.__name__ = name.replace("-", "_").replace("+", "_and_")
    return loss


def matched(target: Any, logits: Any) -> tuple[Any, Any, Any]:
    """Classes, 1 where there is one, and logits of as many pixels: a smaller map is enlarged as in `zoo.predict`."""
    from keras import ops

    logits = of_two_classes(ops.cast(logits, "float32"))
    if logits.shape[1:3] != target.shape[1:3]:
        logits = ops.image.resize(logits, ops.shape(target)[1:3], "bilinear", data_format="channels_last")
    classes = ops.cast(target, "int32")
    return classes, ops.cast(ops.greater_equal(classes, 0), "float32"), logits


def _cross_entropy(classes: Any, known: Any, logits: Any, weights: np.ndarray | None) -> Any:
    """The mean over the known pixels, weighted by their classes."""
    from keras import ops

    losses = ops.sparse_categorical_crossentropy(ops.maximum(classes, 0), logits, from_logits=True)
    return _mean(losses, classes, known, weights)


def _focal(classes: Any, known: Any, logits: Any, weights: np.ndarray | None) -> Any:
    """Cross entropy times the square of what is missing to certainty. Lin et al., https://arxiv.org/abs/1708.02002."""
    import keras

    one_hot = keras.ops.one_hot(keras.ops.maximum(classes, 0), logits.shape[-1], dtype="float32")
    losses = keras.losses.categorical_focal_crossentropy(one_hot, logits, alpha=1.0, gamma=FOCUS, from_logits=True)
    return _mean(losses, classes, known, weights)


def _dice(classes: Any, known: Any, logits: Any, weights: np.ndarray | None) -> Any:
    """1 minus twice the overlap over the sum of areas, the mean over the classes in the batch.

    Milletari et al., 2016, https://arxiv.org/abs/1606.04797, section 3. `keras.losses.Dice` cannot leave out pixels.
    """
    from keras import ops

    scores = ops.softmax(logits, axis=-1) * known[..., None]
    target = ops.one_hot(ops.maximum(classes, 0), logits.shape[-1], dtype="float32") * known[..., None]
    overlap, areas = ops.sum(scores * target, (0, 1, 2)), ops.sum(target, (0, 1, 2))
    dice = (2 * overlap + 1e-6) / (ops.sum(scores, (0, 1, 2)) + areas + 1e-6)
    present = ops.cast(areas > 0, "float32")
    return ops.sum((1 - dice) * present) / ops.maximum(ops.sum(present), 1)


def _mean(losses: Any, classes: Any, known: Any, weights: np.ndarray | None) -> Any:
    from keras import ops

    if weights is not None:
        known = known * ops.take(ops.convert_to_tensor(weights), ops.maximum(classes, 0))
    return ops.sum(losses * known) / ops.maximum(ops.sum(known), 1e-6)


LOSSES: dict[str, Callable[..., Any]] = {"cross-entropy": _cross_entropy, "dice": _dice, "focal": _focal}
