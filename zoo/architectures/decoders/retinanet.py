"""RetinaNet's decoder: a pyramid over the encoder's maps, and at each place of it nine boxes with a score per class.

Lin et al., 2017, https://arxiv.org/abs/1708.02002, figure 3; sizes and rules are torchvision's.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from keras import layers

from zoo.architectures.decoders.parts import of_detectors
from zoo.architectures.detection import (
    PRIOR,
    by_place,
    convolution,
    detections,
    feature_pyramid,
    joined,
    normalization,
    shared,
)
from zoo.layers import AnchorBoxes, DecodeBoxes

RATIOS = (0.5, 1.0, 2.0)  # of a box's height to its width
SIZES = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))  # of a map's smallest boxes


def anchor_sizes(side: int) -> list[tuple[float, float]]:
    """Width and height of the nine boxes of a place, rounded as in torchvision: those of one ratio side by side."""
    sides = [int(side * size) for size in SIZES]
    pairs = [(side / math.sqrt(ratio), side * math.sqrt(ratio)) for ratio in RATIOS for side in sides]
    return [(2.0 * round(width / 2), 2.0 * round(height / 2)) for width, height in pairs]


def place_boxes(level: int, smallest: int = 32, **options: Any) -> AnchorBoxes:
    """The layer of the boxes that the places of the map `level` stand for; `smallest` is as in `retinanet`."""
    return AnchorBoxes(anchor_sizes(smallest * 2**level), **options)


def head(maps: Sequence[Any], outputs: int, name: str, last: str, depth: int, normalized: bool, **options: Any) -> Any:
    """Four 3x3 convolutions and one for the outputs, which all maps share: (b, h, w, c) -> (b, h, w, outputs)."""
    parts: list[Any] = []
    for index in range(depth):
        parts.append(convolution(maps[0].shape[-1], f"{name}-conv-{index}-0", use_bias=not normalized))
        parts += [normalization(f"{name}-conv-{index}-1")] if normalized else []
        parts.append(layers.ReLU(name=f"{name}-conv-{index}-relu"))
    return shared([*parts, convolution(outputs, f"{name}-{last}", **options)], maps)


def retinanet(
    image: Any,
    pyramid: Mapping[int, Any],
    *,
    num_classes: int,
    filters: int = 256,
    depth: int = 4,
    normalized: bool = True,
    top: str = "c5",
    smallest: int = 32,
    score_threshold: float = 0.05,
    iou_threshold: float = 0.5,
    candidates: int = 1000,
    count: int = 300,
) -> dict[str, Any]:
    """From the maps at strides 8, 16 and, where it is seen, 32 to boxes. Defaults are those of torchvision's version 2.

    Args:
        image: The normalised image, `(batch, height, width, channels)`, which boxes lie in.
        pyramid: The encoder's maps by stride; at 1 the image as the encoder saw it, padded.
        num_classes: Scores of each box.
        filters: Channels of the pyramid and of the heads.
        depth: Convolutions of each head before its last.
        normalized: Whether each of them has a group normalisation.
        top: What the two smallest maps are made from: `"p5"`, the pyramid's map at stride 32, or `"c5"`, the encoder's.
        smallest: Side of the smallest boxes, in pixels; those of the next map are twice as large.
        score_threshold: The score that a box must exceed.
        iou_threshold: Overlap above which the worse of two boxes of a class is left out.
        candidates: Boxes of each map, at most, that overlaps are looked for among.
        count: Boxes that come out, at most.

    Returns:
        `boxes`, `scores`, `classes` and `count`, `cls_logits` and `bbox_regression`, as in
        `zoo.architectures.detection`.
    """
    maps = feature_pyramid(of_detectors(pyramid, "retinanet"), filters, "decoder-fpn", top=top)
    boxes_each, name = len(RATIOS) * len(SIZES), "decoder-head-classification_head"
    logits = head(maps, boxes_each * num_classes, name, "cls_logits", depth, normalized, prior=PRIOR)
    logits = by_place(logits, num_classes, f"{name}-places")
    name = "decoder-head-regression_head"
    codes = by_place(head(maps, boxes_each * 4, name, "bbox_reg", depth, normalized), 4, f"{name}-places")
    boxes, scores = [], []
    for index, places in enumerate(maps):
        anchors = place_boxes(index, smallest, name=f"decoder-anchors-{index}")([pyramid[1], places])
        boxes.append(DecodeBoxes(name=f"decoder-decode-{index}")([codes[index], anchors, image]))
        scores.append(layers.Activation("sigmoid", name=f"decoder-scores-{index}")(logits[index]))
    return {
        **detections(
            boxes,
            scores,
            "decoder-detections",
            count=count,
            score_threshold=score_threshold,
            iou_threshold=iou_threshold,
            candidates=candidates,
        ),
        "cls_logits": joined(logits, "decoder-cls_logits"),
        "bbox_regression": joined(codes, "decoder-bbox_regression"),
    }
