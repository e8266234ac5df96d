"""How detectors are trained, one kind per file: which places of their maps stand for which object, and the loss.

Which place of a map stands for what is found beside the training, image by image, so that all that the network is given
has one shape: a target is `(places, 5)`, for each place the number of its class (`BACKGROUND`, or `IGNORED` where
nobody says what is there) and the box of its object, x1, y1, x2 and y2 in pixels of what the model sees. Where it
depends on the outputs, a target has a row per object in place of one per place, and the loss assigns them.

A module has `OUTPUTS`, the names of the model's outputs that are trained; `all_places(entry)`, the boxes that places
stand for, `(places, 4)`; `targets(boxes, classes, crowds, entry)`; and `loss(entry)`, a function of a batch of targets
and of these outputs along the last axis, one after the other. It has `ONLY_SIDE` where the model sees images in a
square of this size alone.
"""

import importlib
from typing import Any

from zoo.catalogue.entry import Entry
from zoo.errors import InputError

BACKGROUND, IGNORED = -1, -2  # in place of a class
# By decoder, or else by builder; EfficientDet's boxes are other ones than RetinaNet's, and stand for objects alike.
KINDS = {
    "efficientdet": "retinanet",
    "fcos": "fcos",
    "retinanet": "retinanet",
    "ssd.ssd": "ssd",
    "yolox": "yolox",
    "yolox.yolox": "yolox",
}
# By builder, where it is not 0: the number of the first class of objects; background is before it.
FIRST_CLASS = {"ssd.ssd": 1}


def find_detector(entry: Entry) -> Any:
    """The module of the model's kind.

    Raises:
        InputError: Nobody has written how models of this kind are trained.
    """
    kind = entry.decoder or entry.builder
    if kind not in KINDS:
        raise InputError(
            f"{entry.name} is built by {kind}, and detectors of this kind are not trained by zoo.finetune. Choose "
            "RetinaNet, FCOS, EfficientDet, YOLOX or SSD300, or put one of the first four above any encoder: "
            "zoo.load('resnet50', decoder='fcos', num_classes=3)."
        )
    return importlib.import_module(f"zoo.training.detectors.{KINDS[kind]}")


def first_class(entry: Entry) -> int:
    """The number of the first class that objects have: 1 where 0 is the background."""
    return FIRST_CLASS.get(entry.decoder or entry.builder, 0)
