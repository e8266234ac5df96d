"""SSD: boxes of fixed sizes around the places of six maps, the first of them those of VGG16.

Liu et al., 2016, https://arxiv.org/abs/1512.02325, figure 2; layers called as in torchvision, whose rules these are.
"""

import math
from collections.abc import Sequence
from typing import Any

from keras import layers

from zoo.architectures.blocks import conv2d
from zoo.architectures.detection import by_place, detections, joined
from zoo.architectures.vgg import FILTERS, stage
from zoo.layers import AnchorBoxes, DecodeBoxes, ScaledUnitNormalization

SIDE = 300  # pixels of the images that the boxes are made for
STRIDES = (8, 16, 32, 64, 100, 300)
SCALES = (0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05)  # a box's side over the image's, for each map and one more
RATIOS = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))  # of a box's sides, either way, for each map
CODE_SCALES = (10, 10, 5, 5)  # of the numbers that a box is written as


def default_sizes(level: int) -> list[tuple[float, float]]:
    """Width and height of a place's boxes in pixels, section 2.2: two squares, and two boxes for each ratio."""
    side, next_side = SCALES[level : level + 2]
    pairs = [(side, side), (math.sqrt(side * next_side),) * 2]
    for ratio in RATIOS[level]:
        wide = side * math.sqrt(ratio), side / math.sqrt(ratio)
        pairs += [wide, wide[::-1]]
    return [(SIDE * min(width, 1.0), SIDE * min(height, 1.0)) for width, height in pairs]


def place_boxes(level: int, **options: Any) -> AnchorBoxes:
    """The layer of the boxes that the places of the map `level` stand for."""
    return AnchorBoxes(default_sizes(level), offset=0.5, stride=STRIDES[level], **options)


def trunk(x: Any) -> tuple[Any, Any]:
    """VGG16 with its dense layers as convolutions: the maps at strides 8, before its pooling, and 16."""
    index = 0
    for number, (filters, depth) in enumerate(zip(FILTERS[:4], (2, 2, 3, 3), strict=True)):
        x, index = stage(x, filters, depth, False, index, "backbone-features")
        if number < 3:  # the third pooling counts the windows that overhang
            padding = "same" if number == 2 else "valid"
            x = layers.MaxPooling2D(2, padding=padding, name=f"backbone-features-{index}")(x)
            index += 1
    early = x
    x = layers.MaxPooling2D(2, name="backbone-extra-0-0")(x)
    x, _ = stage(x, FILTERS[4], 3, False, 1, "backbone-extra-0")
    x = layers.MaxPooling2D(3, 1, padding="same", name="backbone-extra-0-7-0")(x)
    for index, kernel_size, rate in ((1, 3, 6), (3, 1, 1)):
        name = f"backbone-extra-0-7-{index}"
        x = conv2d(x, 1024, kernel_size, dilation_rate=rate, use_bias=True, name=name)
        x = layers.ReLU(name=f"backbone-extra-0-7-{index + 1}")(x)
    return early, x


def extra(x: Any, filters: int, strides: int, name: str) -> Any:
    """A smaller map: 1x1 to half of `filters`, then 3x3, padded where it is strided."""
    x = layers.ReLU(name=f"{name}-1")(conv2d(x, filters // 2, 1, use_bias=True, name=f"{name}-0"))
    if strides > 1:
        x = conv2d(x, filters, 3, strides=strides, use_bias=True, name=f"{name}-2")
    else:
        x = layers.Conv2D(filters, 3, kernel_initializer="he_normal", name=f"{name}-2")(x)
    return layers.ReLU(name=f"{name}-3")(x)


def head(maps: Sequence[Any], values: int, name: str) -> list[Any]:
    """A 3x3 convolution for each map: (b, h, w, c) -> (b, h * w * boxes, values)."""
    found = []
    for level, x in enumerate(maps):
        outputs = len(default_sizes(level)) * values
        found.append(conv2d(x, outputs, 3, use_bias=True, name=f"{name}-module_list-{level}"))
    return by_place(found, values, f"{name}-places")


def ssd(
    image: Any,
    *,
    num_classes: int,
    score_threshold: float = 0.01,
    iou_threshold: float = 0.45,
    candidates: int = 400,
    count: int = 200,
) -> dict[str, Any]:
    """SSD300 on VGG16, for images of 300 x 300 pixels; its first class is background.

    Args:
        image: The normalised image, `(batch, height, width, channels)`.
        num_classes: Scores of each box, one of them for background.
        score_threshold: The score that a box must exceed.
        iou_threshold: Overlap above which the worse of two boxes of a class is left out.
        candidates: Boxes of each class, at most, that overlaps are looked for among.
        count: Boxes that come out, at most.

    Returns:
        `boxes`, `scores`, `classes` and `count`, `cls_logits` and `bbox_regression`, as in
        `zoo.architectures.detection`.
    """
    early, x = trunk(image)
    maps = [ScaledUnitNormalization(name="backbone")(early), x]
    for index, (filters, strides) in enumerate(((512, 2), (256, 2), (256, 1), (256, 1)), start=1):
        x = extra(x, filters, strides, f"backbone-extra-{index}")
        maps.append(x)
    logits = joined(head(maps, num_classes, "head-classification_head"), "cls_logits")
    codes = joined(head(maps, 4, "head-regression_head"), "bbox_regression")
    anchors = layers.Concatenate(axis=0, name="anchors")(
        [place_boxes(level, name=f"anchors-{level}")([image, x]) for level, x in enumerate(maps)]
    )
    boxes = DecodeBoxes(scales=CODE_SCALES, name="decode")([codes, anchors, image])
    scores = layers.Softmax(name="scores")(logits)
    found = detections(
        [boxes],
        [scores],
        "detections",
        count=count,
        by="class",
        background=1,
        score_threshold=score_threshold,
        iou_threshold=iou_threshold,
        candidates=candidates,
    )
    return {**found, "cls_logits": logits, "bbox_regression": codes}
