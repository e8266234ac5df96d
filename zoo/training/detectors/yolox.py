"""YOLOX: the places whose predictions cost an object least stand for it, so many as their boxes overlap it well.

Ge et al., 2021, https://arxiv.org/abs/2107.08430, section 2.1, "SimOTA"; numbers as in the authors' code. Which place
stands for which object follows from the outputs, so a target has a row per object, and the loss assigns them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from zoo.architectures.yolox import STRIDES
from zoo.catalogue.entry import Entry
from zoo.layers.box_geometry import (
    corners,
    decode_offsets,
    generalized_intersection_over_union,
    intersection_over_union,
)
from zoo.training.detectors import BACKGROUND, IGNORED
from zoo.training.detectors.places import SIDE, areas

OUTPUTS = ("cls_logits", "bbox_regression", "objectness")
MOST = 100  # objects of an image that are trained on, the largest
RADIUS = 1.5  # how far from the middle of an object a place may lie, in strides of its map
CANDIDATES = 10  # places of an object, at most
OVERLAP_WEIGHT, BOX_WEIGHT = 3.0, 5.0  # of the overlap in a place's cost, and of the boxes in the loss
FAR = 1e6  # what a place beyond the radius costs


def targets(boxes: np.ndarray, classes: np.ndarray, crowds: Sequence[Sequence[float]], entry: Entry) -> np.ndarray:
    """A row per object and per crowd, `(MOST, 5)`: class, `IGNORED` of a crowd and `BACKGROUND` of no object; box."""
    target = np.full((MOST, 5), BACKGROUND, "float32")
    order = np.argsort(-areas(boxes), kind="stable")[:MOST]
    target[: len(order), 0], target[: len(order), 1:] = classes[order], boxes[order]
    left = np.asarray(crowds, "float64").reshape(-1, 4)[: MOST - len(order)]
    rows = slice(len(order), len(order) + len(left))
    target[rows, 0], target[rows, 1:] = IGNORED, left
    return target


def all_places(entry: Entry) -> np.ndarray:
    """The boxes that codes of zero stand for, `(places, 4)`: as large as a place, around its upper left corner."""
    multiple = max(entry.decoder_config.get("pad_to", 1), STRIDES[-1])
    side, found = -(-(entry.input.size or SIDE) // multiple) * multiple, []
    for stride in STRIDES:
        rows, columns = np.mgrid[: side // stride, : side // stride]
        corners_twice = np.stack([columns.ravel(), rows.ravel()] * 2, axis=-1)
        found.append((corners_twice + np.array([-0.5, -0.5, 0.5, 0.5])) * stride)
    return np.concatenate(found).astype("float32")


def loss(entry: Entry) -> Callable[[Any, Any], Any]:
    """Cross entropy of the classes, whose target is the overlap, and of being an object; 1 - generalised IoU of the
    boxes; a sum over all places, by how many of them stand for an object.

    Of the two losses of boxes in the authors' code (`loss_type`) this is the one that they do not take: 1 - IoU squared
    is nearly flat where boxes overlap little, and fine-tuning has few steps.
    """
    anchors, count = all_places(entry), entry.num_classes or 0
    strides = anchors[:, 2] - anchors[:, 0]

    def yolox_loss(target: Any, outputs: Any) -> Any:
        from keras import ops

        logits, codes, objectness = outputs[..., :count], outputs[..., count : count + 4], outputs[..., count + 4]
        found = decode_offsets(codes, ops.convert_to_tensor(anchors))
        centers = ops.convert_to_tensor(anchors[:, 2:])  # the box around a corner ends in the middle of its place
        boxes, classes, objects = (ops.stop_gradient(x) for x in (found, logits, objectness))
        is_object, row = assigned(target, boxes, classes, objects, centers, ops.convert_to_tensor(strides))
        boxes = ops.take_along_axis(target[..., 1:], row[..., None], axis=1)
        labels = ops.take_along_axis(target[..., 0], row, axis=1)
        overlap = intersection_over_union(found, boxes)
        objects = ops.maximum(ops.sum(is_object), 1.0)
        classes = ops.one_hot(ops.cast(ops.maximum(labels, 0), "int32"), count, dtype="float32")
        classes = classes * ops.stop_gradient(overlap)[..., None]
        of_classes = ops.sum(ops.binary_crossentropy(classes, logits, from_logits=True), axis=-1)
        of_boxes = BOX_WEIGHT * (1 - generalized_intersection_over_union(found, boxes))
        of_objects = ops.binary_crossentropy(is_object, objectness, from_logits=True) * _known(
            target, centers, is_object
        )
        return ops.sum((of_classes + of_boxes) * is_object + of_objects) / objects

    return yolox_loss


def assigned(target: Any, found: Any, logits: Any, objectness: Any, centers: Any, strides: Any) -> tuple[Any, Any]:
    """Which places stand for an object, and for which: float32 and int32 `(batch, places)`.

    Args:
        target: `(batch, rows, 5)`.
        found: The boxes of the places, `(batch, places, 4)`.
        logits: Of their classes, `(batch, places, classes)`.
        objectness: Their logit of being an object, `(batch, places)`.
        centers: Of their cells in pixels, `(places, 2)`.
        strides: Of their maps, `(places,)`.
    """
    from keras import ops

    is_near = _near(target, centers, strides)  # (batch, rows, places)
    is_candidate = ops.cast(ops.any(is_near, axis=1, keepdims=True), "float32")
    overlap = intersection_over_union(target[:, :, None, 1:], found[:, None]) * is_candidate
    score = ops.sqrt(ops.sigmoid(logits) * ops.sigmoid(objectness)[..., None])
    score = ops.clip(score, 1e-7, 1 - 1e-7)
    yes, no = -ops.log(score), -ops.log(1 - score)
    classes = ops.one_hot(ops.cast(ops.maximum(target[..., 0], 0), "int32"), logits.shape[-1], dtype="float32")
    of_classes = ops.einsum("brc,bpc->brp", classes, yes - no) + ops.sum(no, axis=-1)[:, None]
    cost = of_classes - OVERLAP_WEIGHT * ops.log(overlap + 1e-8) + FAR * (1 - ops.cast(is_near, "float32"))
    # As many places as the best overlaps sum up to.
    best, _ = ops.top_k(overlap, CANDIDATES)
    wanted = ops.cast(ops.clip(ops.floor(ops.sum(best, axis=-1)), 1, CANDIDATES), "int32")
    least, _ = ops.top_k(-cost, CANDIDATES)
    most = -ops.take_along_axis(least, wanted[..., None] - 1, axis=-1)
    cost = ops.where(ops.logical_and(is_near, cost <= most), cost, 2 * FAR)
    is_object = ops.cast(ops.min(cost, axis=1) < FAR, "float32")
    return is_object, ops.cast(ops.argmin(cost, axis=1), "int32")  # of several objects the one that costs least


def _near(target: Any, centers: Any, strides: Any) -> Any:
    """Whether a place lies near the middle of an object: `(batch, rows, places)`."""
    from keras import ops

    left, top, right, bottom = corners(target[:, :, None, 1:])
    across, down = ops.abs(centers[:, 0] - (left + right) / 2), ops.abs(centers[:, 1] - (top + bottom) / 2)
    return ops.logical_and(ops.maximum(across, down) < RADIUS * strides, target[:, :, :1] >= 0)


def _known(target: Any, centers: Any, is_object: Any) -> Any:
    """0 for places in a crowd that stand for no object, else 1: `(batch, places)`."""
    from keras import ops

    left, top, right, bottom = corners(target[:, :, None, 1:])
    x, y = centers[:, 0], centers[:, 1]
    inside = ops.minimum(ops.minimum(x - left, right - x), ops.minimum(y - top, bottom - y)) > 0
    in_crowd = ops.any(ops.logical_and(inside, target[:, :, :1] == IGNORED), axis=1)
    return ops.maximum(1 - ops.cast(in_crowd, "float32"), is_object)
