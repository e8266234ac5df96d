"""SSD: a default box stands for the object that it overlaps; of the background the most mistaken ones count.

Liu et al., 2016, https://arxiv.org/abs/1512.02325, section 2.2; numbers as in torchvision.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from zoo.architectures.ssd import CODE_SCALES, SIDE, STRIDES, place_boxes
from zoo.catalogue.entry import Entry
from zoo.layers.box_geometry import encode_offsets
from zoo.training.detectors import BACKGROUND
from zoo.training.detectors.losses import objects_and_others, smooth_l1
from zoo.training.detectors.places import as_targets, overlaps

OUTPUTS = ("cls_logits", "bbox_regression")
ONLY_SIDE = SIDE
ABOVE = 0.5  # the overlap from which a default box stands for an object
NEGATIVES = 3  # default boxes of the background that count, for each that stands for an object
BETA = 1.0  # where smooth L1 becomes a line


def all_places(entry: Entry) -> np.ndarray:
    """The default boxes of all maps of an image of 300 x 300 pixels, `(8732, 4)`, in their order there."""
    return _default_boxes()


@functools.cache
def _default_boxes() -> np.ndarray:
    from keras import ops

    image, found = np.zeros((1, SIDE, SIDE, 1), "float32"), []
    for level, stride in enumerate(STRIDES):
        length = -(-SIDE // stride)
        found.append(place_boxes(level)([image, np.zeros((1, length, length, 1), "float32")]))
    return ops.convert_to_numpy(ops.concatenate(found))


def match(boxes: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """The object that each default box stands for, by its number: the one that it overlaps most, from `ABOVE` on, or
    else `BACKGROUND`. The default box that overlaps an object best stands for it in any case."""
    if not len(objects):
        return np.full(len(boxes), BACKGROUND)
    overlap = overlaps(boxes, objects)
    numbers = np.where(overlap.max(axis=1) >= ABOVE, overlap.argmax(axis=1), BACKGROUND)
    numbers[overlap.argmax(axis=0)] = np.arange(len(objects))
    return numbers


def targets(boxes: np.ndarray, classes: np.ndarray, crowds: Sequence[Sequence[float]], entry: Entry) -> np.ndarray:
    """What each default box stands for, `(places, 5)`."""
    known = all_places(entry)
    return as_targets(known, match(known, boxes), boxes, classes, crowds)


def loss(entry: Entry) -> Callable[[Any, Any], Any]:
    """Cross entropy of the classes, background among them, and smooth L1 of the offsets; a sum over the default boxes
    that stand for an object, and of the background over those with the largest entropy, by how many stand for one."""
    known, count = all_places(entry), entry.num_classes or 0

    def ssd_loss(target: Any, outputs: Any) -> Any:
        from keras import ops

        is_object, objects = objects_and_others(target)
        labels = ops.cast(ops.maximum(target[..., 0], 0), "int32")  # 0 is the background
        entropy = ops.sparse_categorical_crossentropy(labels, outputs[..., :count], from_logits=True)
        counts = ops.maximum(is_object, hardest(entropy, target))
        codes = encode_offsets(target[..., 1:], ops.convert_to_tensor(known), CODE_SCALES)
        of_boxes = ops.sum(smooth_l1(outputs[..., count:] - codes, BETA), axis=-1)
        return (ops.sum(entropy * counts) + ops.sum(of_boxes * is_object)) / objects

    return ssd_loss


def hardest(entropy: Any, target: Any) -> Any:
    """1 for each default box of the background that counts, else 0: `NEGATIVES` times as many as stand for an object of
    the image, those with the largest entropy. Both `(batch, places)`."""
    from keras import ops

    is_background = target[..., 0] == BACKGROUND
    wanted = NEGATIVES * ops.sum(ops.cast(target[..., 0] >= 0, "int32"), axis=1, keepdims=True)
    order = ops.argsort(ops.where(is_background, -ops.stop_gradient(entropy), 1.0), axis=1)
    rank = ops.cast(ops.argsort(order, axis=1), "int32")  # the place of each in that order
    return ops.cast(ops.logical_and(is_background, rank < wanted), "float32")
