"""FCOS' decoder: a pyramid over the encoder's maps, and at each place of it one box, by its distances to four sides.

Tian et al., 2019, https://arxiv.org/abs/1904.01355, figure 2; rules are torchvision's: the centre-ness, which says how
far in the middle of its object a place lies, is made beside the boxes and a score is the geometric mean of both.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import layers, ops

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


def tower(maps: Sequence[Any], depth: int, name: str) -> list[Any]:
    """3x3 convolutions, normalised over groups, which all maps share: shapes unchanged."""
    parts: list[Any] = []
    for index in range(0, 3 * depth, 3):  # one list, in which convolution, normalisation and activation count alike
        parts.append(convolution(maps[0].shape[-1], f"{name}-conv-{index}"))
        parts += [normalization(f"{name}-conv-{index + 1}"), layers.ReLU(name=f"{name}-conv-{index + 2}")]
    return shared(parts, maps)


def place_boxes(level: int, **options: Any) -> AnchorBoxes:
    """The layer of the boxes that the places of the map `level` stand for: one as large as its stride."""
    side = 8 * 2**level
    return AnchorBoxes([(side, side)], **options)


def fcos(
    image: Any,
    pyramid: Mapping[int, Any],
    *,
    num_classes: int,
    filters: int = 256,
    depth: int = 4,
    score_threshold: float = 0.2,
    iou_threshold: float = 0.6,
    candidates: int = 1000,
    count: int = 100,
) -> dict[str, Any]:
    """From the maps at strides 8, 16 and, where it is seen, 32 to boxes.

    Args:
        image: The normalised image, `(batch, height, width, channels)`, which boxes lie in.
        pyramid: The encoder's maps by stride; at 1 the image as the encoder saw it, padded.
        num_classes: Scores of each box.
        filters: Channels of the pyramid and of the heads; a multiple of 32, as they are normalised in 32 groups.
        depth: Convolutions of each head before its last.
        score_threshold: The score that a box must exceed.
        iou_threshold: Overlap above which the worse of two boxes of a class is left out.
        candidates: Boxes of each map, at most, that overlaps are looked for among.
        count: Boxes that come out, at most.

    Returns:
        `boxes`, `scores`, `classes` and `count`, `cls_logits`, `bbox_regression` and `bbox_ctrness`
        `(batch, places, 1)`, as in `zoo.architectures.detection`.
    """
    maps = feature_pyramid(of_detectors(pyramid, "fcos"), filters, "decoder-fpn")
    name = "decoder-head-classification_head"
    logits = shared([convolution(num_classes, f"{name}-cls_logits", prior=PRIOR)], tower(maps, depth, name))
    logits = by_place(logits, num_classes, f"{name}-places")
    name = "decoder-head-regression_head"
    features = tower(maps, depth, name)
    # Where a distance began below 0, the ReLU would have no slope, and a side could stay in the middle for ever.
    regression = convolution(4, f"{name}-bbox_reg", start=1.0)
    distances = shared([regression, layers.ReLU(name=f"{name}-relu")], features)
    distances = by_place(distances, 4, f"{name}-places")
    centerness = shared([convolution(1, f"{name}-bbox_ctrness")], features)
    centerness = by_place(centerness, 1, f"{name}-centerness")
    boxes, scores = [], []
    for index, places in enumerate(maps):
        anchors = place_boxes(index, name=f"decoder-anchors-{index}")([pyramid[1], places])
        boxes.append(DecodeBoxes("distances", name=f"decoder-decode-{index}")([distances[index], anchors, image]))
        scores.append(ops.sqrt(ops.sigmoid(logits[index]) * ops.sigmoid(centerness[index])))
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
        "bbox_regression": joined(distances, "decoder-bbox_regression"),
        "bbox_ctrness": joined(centerness, "decoder-bbox_ctrness"),
    }
