"""FCOS: a place in the middle of an object stands for it, on the map of its size.

Tian et al., 2019, https://arxiv.org/abs/1904.01355, sections 3.1 to 3.3, with the middle of the later version
(https://arxiv.org/abs/2006.09214, section 3.1); the rules are torchvision's.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.layers.box_geometry import corners, decode_distances, encode_distances, generalized_intersection_over_union
from zoo.training.detectors import BACKGROUND
from zoo.training.detectors.losses import focal, objects_and_others
from zoo.training.detectors.places import all_places, areas, as_targets, pyramid_places

OUTPUTS = ("cls_logits", "bbox_regression", "bbox_ctrness")
RADIUS = 1.5  # how far from the middle of an object a place may lie, in strides of its map
REACH = (
    4,
    8,
)  # from a place to the farthest side of its object, in strides: what is nearer or farther is another map's


def targets(boxes: np.ndarray, classes: np.ndarray, crowds: Sequence[Sequence[float]], entry: Entry) -> np.ndarray:
    """What each place stands for, `(places, 5)`: of several objects around it the smallest."""
    levels = pyramid_places(entry)
    places = np.concatenate(levels)
    if not len(boxes):
        return as_targets(places, np.full(len(places), BACKGROUND), boxes, classes, crowds)
    centers, strides = (places[:, :2] + places[:, 2:]) / 2, places[:, 2] - places[:, 0]
    least, most = REACH[0] * strides, REACH[1] * strides
    least[: len(levels[0])], most[len(places) - len(levels[-1]) :] = 0, np.inf
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    fits = np.abs(centers[:, None] - middles[None]).max(axis=-1) < RADIUS * strides[:, None]
    sides = np.concatenate([centers[:, None] - boxes[None, :, :2], boxes[None, :, 2:] - centers[:, None]], axis=-1)
    farthest = sides.max(axis=-1)
    fits &= (sides.min(axis=-1) > 0) & (farthest > least[:, None]) & (farthest < most[:, None])
    sizes = np.where(fits, areas(boxes)[None], np.inf)
    numbers = np.where(fits.any(axis=1), sizes.argmin(axis=1), BACKGROUND)
    return as_targets(places, numbers, boxes, classes, crowds)


def loss(entry: Entry) -> Callable[[Any, Any], Any]:
    """Focal loss of the classes, 1 - generalised IoU of the boxes, cross entropy of the centre-ness; a sum over all
    places, by how many of them stand for an object."""
    known, count = all_places(entry), entry.num_classes or 0

    def fcos_loss(target: Any, outputs: Any) -> Any:
        from keras import ops

        places = ops.convert_to_tensor(known)
        is_object, objects = objects_and_others(target)
        logits, distances, centerness = outputs[..., :count], outputs[..., count : count + 4], outputs[..., count + 4]
        overlap = generalized_intersection_over_union(decode_distances(distances, places), target[..., 1:])
        left, top, right, bottom = corners(ops.maximum(encode_distances(target[..., 1:], places), 1e-6))
        across, down = _evenness(left, right), _evenness(top, bottom)
        entropy = ops.binary_crossentropy(ops.sqrt(across * down), centerness, from_logits=True)
        return focal(target[..., 0], logits) + ops.sum((1 - overlap + entropy) * is_object) / objects

    return fcos_loss


def _evenness(one: Any, other: Any) -> Any:
    from keras import ops

    return ops.minimum(one, other) / ops.maximum(one, other)
