"""RetinaNet, and EfficientDet alike: a box of a place stands for the object that it overlaps.

Lin et al., 2017, https://arxiv.org/abs/1708.02002, sections 3 and 4.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.layers.box_geometry import encode_offsets
from zoo.training.detectors import BACKGROUND
from zoo.training.detectors.losses import focal, objects_and_others, smooth_l1
from zoo.training.detectors.places import all_places, as_targets, match_by_overlap

OUTPUTS = ("cls_logits", "bbox_regression")
ABOVE, BELOW = 0.5, 0.4  # overlaps from which a box stands for an object, and up to which for the background


def targets(boxes: np.ndarray, classes: np.ndarray, crowds: Sequence[Sequence[float]], entry: Entry) -> np.ndarray:
    """What each box of each place stands for, `(places, 5)`."""
    places = all_places(entry)
    numbers = match_by_overlap(places, boxes, ABOVE, BELOW) if len(boxes) else np.full(len(places), BACKGROUND)
    return as_targets(places, numbers, boxes, classes, crowds)


def loss(entry: Entry) -> Callable[[Any, Any], Any]:
    """Focal loss of the classes and smooth L1 of the offsets; a sum over all places, by how many of them stand for an
    object."""
    known, count = all_places(entry), entry.num_classes or 0

    def retinanet_loss(target: Any, outputs: Any) -> Any:
        from keras import ops

        places = ops.convert_to_tensor(known)
        is_object, objects = objects_and_others(target)
        difference = outputs[..., count:] - encode_offsets(target[..., 1:], places)
        of_boxes = ops.sum(smooth_l1(difference), axis=-1)
        return focal(target[..., 0], outputs[..., :count]) + ops.sum(of_boxes * is_object) / objects

    return retinanet_loss
