"""YOLOX: CSPDarknet, a pyramid up and down again, and three decoupled heads without anchors.

Ge et al., 2021, https://arxiv.org/abs/2107.08430, figure 2; layers called as in the authors' network.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import initializers, layers, ops

from zoo.architectures.blocks import conv_norm_act
from zoo.architectures.detection import PRIOR, by_place, constant_of_prior, detections, joined
from zoo.layers import AnchorBoxes, DecodeBoxes, PadToMultiple2D

STRIDES = (8, 16, 32)
GREY = 114.0  # what images are padded with
FIRST_SIDE = 4.0  # of boxes before training, in strides of their map


@keras.saving.register_keras_serializable(package="zoo")
class FirstBox(initializers.Initializer):
    """A bias `(4,)`: the codes of a box of `FIRST_SIDE` in the middle of its place.

    From zeros, as in the authors' network, a box begins one stride wide and high. It covers so little of its object
    that the loss has hardly a slope, and fine-tuning has few steps.
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return ops.reshape(ops.array([0.5, 0.5, math.log(FIRST_SIDE), math.log(FIRST_SIDE)], dtype), shape)


def conv(x: Any, filters: int, kernel_size: int, name: str, *, strides: int = 1, groups: int = 1) -> Any:
    """Convolution, batch normalisation, SiLU: (b, h, w, c) -> (b, h / strides, w / strides, filters)."""
    options = {"strides": strides, "groups": groups, "activation": "silu", "epsilon": 1e-3}
    return conv_norm_act(x, filters, kernel_size, **options, name=name)


def wide(x: Any, filters: int, name: str, *, strides: int = 1, depthwise: bool = False) -> Any:
    """A 3x3 convolution; `depthwise`: in each channel, then across."""
    if not depthwise:
        return conv(x, filters, 3, name, strides=strides)
    x = conv(x, x.shape[-1], 3, f"{name}-dconv", strides=strides, groups=x.shape[-1])
    return conv(x, filters, 1, f"{name}-pconv")


def focus(x: Any, filters: int, name: str) -> Any:
    """Each 2x2 pixels as one with four times the channels, then 3x3: (b, h, w, c) -> (b, h / 2, w / 2, filters)."""
    parts = [x[:, ::2, ::2], x[:, 1::2, ::2], x[:, ::2, 1::2], x[:, 1::2, 1::2]]
    return conv(layers.Concatenate(name=f"{name}-focus")(parts), filters, 3, f"{name}-conv")


def cross_stage(x: Any, filters: int, depth: int, name: str, *, residual: bool = True, depthwise: bool = False) -> Any:
    """Half of the channels through `depth` bottlenecks, half beside them: (b, h, w, c) -> (b, h, w, filters)."""
    half = filters // 2
    beside = conv(x, half, 1, f"{name}-conv2")
    x = conv(x, half, 1, f"{name}-conv1")
    for index in range(depth):
        y = conv(x, half, 1, f"{name}-m-{index}-conv1")
        y = wide(y, half, f"{name}-m-{index}-conv2", depthwise=depthwise)
        x = layers.Add(name=f"{name}-m-{index}-add")([y, x]) if residual else y
    x = layers.Concatenate(name=f"{name}-concatenate")([x, beside])
    return conv(x, filters, 1, f"{name}-conv3")


def pyramid_pooling(x: Any, filters: int, name: str) -> Any:
    """Maxima of three sizes of windows beside the map: (b, h, w, c) -> (b, h, w, filters)."""
    x = conv(x, x.shape[-1] // 2, 1, f"{name}-conv1")
    pooled = [layers.MaxPooling2D(size, 1, padding="same", name=f"{name}-m-{size}")(x) for size in (5, 9, 13)]
    return conv(layers.Concatenate(name=f"{name}-concatenate")([x, *pooled]), filters, 1, f"{name}-conv2")


def trunk(x: Any, filters: int, depth: int, depthwise: bool, name: str) -> list[Any]:
    """CSPDarknet: the maps at strides 8, 16 and 32."""
    x, maps = focus(x, filters, f"{name}-stem"), []
    for index, (times, repeats) in enumerate(((2, 1), (4, 3), (8, 3), (16, 1)), start=2):
        stage, width, is_last = f"{name}-dark{index}", times * filters, index == 5
        x = wide(x, width, f"{stage}-0", strides=2, depthwise=depthwise)
        if is_last:
            x = pyramid_pooling(x, width, f"{stage}-1")
        x = cross_stage(
            x, width, repeats * depth, f"{stage}-{2 if is_last else 1}", residual=not is_last, depthwise=depthwise
        )
        maps.append(x)
    return maps[1:]


def neck(maps: Sequence[Any], depth: int, depthwise: bool, name: str) -> list[Any]:
    """Down to the largest map and up again (PAFPN): three maps of the same shapes as before."""
    small, middle, large = maps  # by stride
    widths = [x.shape[-1] for x in maps]

    def merged(x: Any, other: Any, filters: int, part: str) -> Any:
        x = layers.Concatenate(name=f"{name}-{part}-merge")([x, other])
        return cross_stage(x, filters, depth, f"{name}-{part}", residual=False, depthwise=depthwise)

    top = conv(large, widths[1], 1, f"{name}-lateral_conv0")
    x = merged(layers.UpSampling2D(2, name=f"{name}-upsample0")(top), middle, widths[1], "C3_p4")
    between = conv(x, widths[0], 1, f"{name}-reduce_conv1")
    first = merged(layers.UpSampling2D(2, name=f"{name}-upsample1")(between), small, widths[0], "C3_p3")
    x = wide(first, widths[0], f"{name}-bu_conv2", strides=2, depthwise=depthwise)
    second = merged(x, between, widths[1], "C3_n3")
    x = wide(second, widths[1], f"{name}-bu_conv1", strides=2, depthwise=depthwise)
    return [first, second, merged(x, top, widths[2], "C3_n4")]


def head(x: Any, filters: int, num_classes: int, depthwise: bool, level: int, name: str) -> tuple[Any, Any, Any]:
    """Logits of classes, codes of a box and the logit of an object at each place of a map."""
    x, found = conv(x, filters, 1, f"{name}-stems-{level}"), []
    for branch, outputs in (("cls", {"cls": num_classes}), ("reg", {"reg": 4, "obj": 1})):
        y = x
        for index in range(2):
            y = wide(y, filters, f"{name}-{branch}_convs-{level}-{index}", depthwise=depthwise)
        for part, count in outputs.items():
            start = FirstBox() if part == "reg" else constant_of_prior(PRIOR)
            found.append(layers.Conv2D(count, 1, bias_initializer=start, name=f"{name}-{part}_preds-{level}")(y))
    return found[0], found[1], found[2]


def found_in(
    levels: Sequence[tuple[Any, Any, Any]], maps: Sequence[Any], image: Any, padded: Any, prefix: str, **options: Any
) -> dict[str, Any]:
    """What a detector gives, from the three outputs of `head` for each map; `options` are those of its boxes."""
    logits, codes, objects = (
        joined(by_place(parts, parts[0].shape[-1], f"{prefix}{name}-places"), f"{prefix}{name}")
        for name, parts in zip(("cls_logits", "bbox_regression", "objectness"), zip(*levels, strict=True), strict=True)
    )
    anchors = layers.Concatenate(axis=0, name=f"{prefix}anchors")(
        [
            AnchorBoxes([(stride, stride)], stride=stride, name=f"{prefix}anchors-{level}")([padded, maps[level]])
            for level, stride in enumerate(STRIDES)
        ]
    )
    boxes = DecodeBoxes(is_bounded=False, name=f"{prefix}decode")([codes, anchors, image])
    scores = ops.sigmoid(logits) * ops.sigmoid(objects)
    found = detections([boxes], [scores], f"{prefix}detections", by="place", **options)
    return {**found, "cls_logits": logits, "bbox_regression": codes, "objectness": objects}


def yolox(
    image: Any,
    *,
    num_classes: int,
    depth: float = 1.0,
    width: float = 1.0,
    depthwise: bool = False,
    score_threshold: float = 0.01,
    iou_threshold: float = 0.45,
    candidates: int = 1000,
    count: int = 300,
) -> dict[str, Any]:
    """YOLOX; `depth` and `width` are multiples of those of YOLOX-L.

    Args:
        image: The image, `(batch, height, width, channels)`, values from 0 to 255; padded to sides of a multiple of 32.
        num_classes: Classes of objects.
        depth: Multiple of the bottlenecks in a row.
        width: Multiple of the channels.
        depthwise: Whether 3x3 convolutions go in each channel, then across.
        score_threshold: The score that a box must exceed: that of its class times that of being an object.
        iou_threshold: Overlap above which the worse of two boxes of a class is left out.
        candidates: Boxes, at most, that overlaps are looked for among.
        count: Boxes that come out, at most.

    Returns:
        `boxes`, `scores`, `classes` and `count`, `cls_logits`, `bbox_regression`, and `objectness`, a logit
        `(batch, places, 1)`, as in `zoo.architectures.detection`.
    """
    padded = PadToMultiple2D(32, GREY, name="pad")(image)
    repeats = round(3 * depth)
    maps = neck(trunk(padded, int(64 * width), repeats, depthwise, "backbone-backbone"), repeats, depthwise, "backbone")
    levels = [head(x, int(256 * width), num_classes, depthwise, level, "head") for level, x in enumerate(maps)]
    return found_in(
        levels,
        maps,
        image,
        padded,
        "",
        score_threshold=score_threshold,
        iou_threshold=iou_threshold,
        candidates=candidates,
        count=count,
    )
