"""EfficientDet's decoder: a pyramid that is fused in both directions, again and again, and heads of separable
convolutions.

Tan et al., 2020, https://arxiv.org/abs/1911.09070, figures 2d and 3; layers called as in `effdet`, whose rules these
are (rwightman/efficientdet-pytorch).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import layers, ops

from zoo.architectures.blocks import batch_norm
from zoo.architectures.decoders.parts import of_detectors
from zoo.architectures.detection import PRIOR, by_place, constant_of_prior, detections, joined
from zoo.layers import AnchorBoxes, DecodeBoxes, FastNormalizedFusion, NearestLike2D

RATIOS = ((1.0, 1.0), (1.4, 0.7), (0.7, 1.4))  # width and height of a place's boxes, each in three sizes
SIZES = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))
SIDE = 4  # of the smallest, in places of its map
EPSILON = 1e-3  # of batch normalisation


def anchor_sizes(stride: int) -> list[tuple[float, float]]:
    """Width and height of the nine boxes of a place: those of one size side by side."""
    return [(SIDE * stride * size * width, SIDE * stride * size * height) for size in SIZES for width, height in RATIOS]


def place_boxes(level: int, **options: Any) -> AnchorBoxes:
    """The layer of the boxes that the places of the map `level` stand for."""
    stride = 8 * 2**level
    return AnchorBoxes(anchor_sizes(stride), offset=0.5, stride=stride, **options)


def separable(filters: int, name: str, **options: Any) -> list[Any]:
    """A 3x3 filter in each channel, then a mix of the channels with a bias: layers, which several maps may share."""
    depthwise = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"{name}-conv_dw")
    return [depthwise, layers.Conv2D(filters, 1, **options, name=f"{name}-conv_pw")]


def projected(x: Any, filters: int, name: str) -> Any:
    """As many channels as the pyramid has, where there are others: 1x1 and batch normalisation."""
    if x.shape[-1] == filters:
        return x
    x = layers.Conv2D(filters, 1, name=f"{name}-conv-conv")(x)
    return batch_norm(x, f"{name}-conv-bn", epsilon=EPSILON)


def halved(x: Any, name: str) -> Any:
    """The largest of 3x3 places: (b, h, w, c) -> (b, ceil(h / 2), ceil(w / 2), c)."""
    return layers.MaxPooling2D(3, 2, padding="same", name=f"{name}-downsample")(x)


def fused(maps: Sequence[Any], name: str) -> Any:
    """A node of the pyramid: maps of one shape as one, SiLU, a separable convolution."""
    x = FastNormalizedFusion(name=f"{name}-combine")(list(maps))
    x = layers.Activation("silu", name=f"{name}-after_combine-act")(x)
    for layer in separable(x.shape[-1], f"{name}-after_combine-conv"):
        x = layer(x)
    return batch_norm(x, f"{name}-after_combine-conv-bn", epsilon=EPSILON)


def bifpn(maps: Sequence[Any], filters: int, name: str) -> list[Any]:
    """From the smallest map to the largest, and back: maps of `filters` channels, of the same sizes.

    A map enters a node by its number there, in the order in which they are made: the first are those that come in.
    """
    numbered, levels = list(maps), len(maps)
    latest = list(range(levels))  # the number of each level's last map
    for level in (*range(levels - 2, -1, -1), *range(1, levels)):
        node = f"{name}-fnode-{len(numbered) - levels}"
        is_down = len(numbered) < 2 * levels - 1
        own = [level] if is_down or latest[level] == level else [level, latest[level]]
        other = latest[level + 1] if is_down else latest[level - 1]
        inputs = [projected(numbered[number], filters, f"{node}-combine-resample-{number}") for number in own]
        x = projected(numbered[other], filters, f"{node}-combine-resample-{other}")
        resized = f"{node}-combine-resample-{other}"
        inputs.append(NearestLike2D(name=f"{resized}-upsample")([x, inputs[0]]) if is_down else halved(x, resized))
        numbered.append(fused(inputs, node))
        latest[level] = len(numbered) - 1
    return numbered[-levels:]


def head(maps: Sequence[Any], outputs: int, depth: int, name: str, **options: Any) -> list[Any]:
    """Separable convolutions that all maps share, each map with normalisations of its own, and one for the outputs."""
    filters = maps[0].shape[-1]
    towers = [separable(filters, f"{name}-conv_rep-{index}") for index in range(depth)]
    last, found = separable(outputs, f"{name}-predict", **options), []
    for level, x in enumerate(maps):
        for index, tower in enumerate(towers):
            for layer in tower:
                x = layer(x)
            x = batch_norm(x, f"{name}-bn_rep-{index}-{level}-bn", epsilon=EPSILON)
            x = layers.Activation("silu", name=f"{name}-act-{index}-{level}")(x)
        for layer in last:
            x = layer(x)
        found.append(x)
    return found


def efficientdet(
    image: Any,
    pyramid: Mapping[int, Any],
    *,
    num_classes: int,
    filters: int = 64,
    repeats: int = 3,
    depth: int = 3,
    score_threshold: float = 0.01,
    iou_threshold: float = 0.5,
    candidates: int = 5000,
    count: int = 100,
) -> dict[str, Any]:
    """From the maps at strides 8, 16 and, where it is seen, 32 to boxes. The defaults are those of D0.

    Args:
        image: The normalised image, `(batch, height, width, channels)`, which boxes lie in.
        pyramid: The encoder's maps by stride; at 1 the image as the encoder saw it, padded.
        num_classes: Scores of each box.
        filters: Channels of the pyramid and of the heads.
        repeats: How often the pyramid is fused.
        depth: Convolutions of each head before its last.
        score_threshold: The score that a box must exceed.
        iou_threshold: Overlap above which the worse of two boxes of a class is left out.
        candidates: Boxes, at most, that overlaps are looked for among.
        count: Boxes that come out, at most.

    Returns:
        `boxes`, `scores`, `classes` and `count`, `cls_logits` and `bbox_regression`, as in
        `zoo.architectures.detection`.
    """
    maps = of_detectors(pyramid, "efficientdet")
    name = f"decoder-fpn-resample-{len(maps)}"
    x = halved(projected(maps[-1], filters, name), name)
    maps += [x, halved(x, f"decoder-fpn-resample-{len(maps) + 1}")]
    for index in range(repeats):
        maps = bifpn(maps, filters, f"decoder-fpn-cell-{index}")
    boxes_each = len(RATIOS) * len(SIZES)
    prior = {"bias_initializer": constant_of_prior(PRIOR)}
    logits = head(maps, boxes_each * num_classes, depth, "decoder-class_net", **prior)
    cls_logits = joined(by_place(logits, num_classes, "decoder-class_net-places"), "decoder-cls_logits")
    codes = by_place(head(maps, boxes_each * 4, depth, "decoder-box_net"), 4, "decoder-box_net-places")
    # effdet's come as y, x, height, width.
    bbox_regression = ops.take(joined(codes, "decoder-box_net-codes"), [1, 0, 3, 2], axis=-1)
    anchors = [
        place_boxes(index, name=f"decoder-anchors-{index}")([image, places]) for index, places in enumerate(maps)
    ]
    anchors = layers.Concatenate(axis=0, name="decoder-anchors")(anchors)
    boxes = DecodeBoxes(is_bounded=False, name="decoder-decode")([bbox_regression, anchors, image])
    has_area = ops.all(boxes[..., 2:] > boxes[..., :2], axis=-1, keepdims=True)  # what is beyond the image has none
    return {
        **detections(
            [boxes],
            [ops.where(has_area, ops.sigmoid(cls_logits), 0.0)],
            "decoder-detections",
            count=count,
            score_threshold=score_threshold,
            iou_threshold=iou_threshold,
            candidates=candidates,
        ),
        "cls_logits": cls_logits,
        "bbox_regression": bbox_regression,
    }
