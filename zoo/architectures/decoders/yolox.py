"""YOLOX' decoder: a pyramid down to the largest map and up again (PAFPN), and a decoupled head without anchors per map.

Ge et al., 2021, https://arxiv.org/abs/2107.08430, figure 2; the pyramid is that of Liu et al., 2018,
https://arxiv.org/abs/1803.01534, figure 1. Layers are called as in the authors' network, after a prefix.
"""

from collections.abc import Mapping
from typing import Any

from keras import Model

from zoo.architectures.decoders.parts import of_detectors
from zoo.architectures.yolox import STRIDES, conv, found_in, head, neck
from zoo.errors import InputError


def yolox(
    image: Any,
    pyramid: Mapping[int, Any],
    *,
    num_classes: int,
    filters: int = 128,
    depth: int = 1,
    depthwise: bool = False,
    score_threshold: float = 0.01,
    iou_threshold: float = 0.45,
    candidates: int = 1000,
    count: int = 300,
) -> dict[str, Any]:
    """From the maps at strides 8, 16 and 32 to boxes. The defaults are those of YOLOX-S.

    Args:
        image: The normalised image, `(batch, height, width, channels)`, which boxes lie in.
        pyramid: The encoder's maps by stride; at 1 the image as the encoder saw it, padded.
        num_classes: Scores of each box.
        filters: Channels of every map of the pyramid, which the encoder's are brought to first, and of the heads.
        depth: Bottlenecks in a row, wherever two maps are merged.
        depthwise: Whether 3x3 convolutions go in each channel, then across.
        score_threshold: The score that a box must exceed: that of its class times that of being an object.
        iou_threshold: Overlap above which the worse of two boxes of a class is left out.
        candidates: Boxes, at most, that overlaps are looked for among.
        count: Boxes that come out, at most.

    Returns:
        `boxes`, `scores`, `classes` and `count`, `cls_logits`, `bbox_regression`, and `objectness`, a logit
        `(batch, places, 1)`, as in `zoo.architectures.detection`.

    Raises:
        InputError: The encoder has no map at one of these strides, or maps that are not half of each other.
    """
    maps = of_detectors(pyramid, "yolox", STRIDES)
    sides = [x.shape[1] for x in maps]
    if None in sides:
        sides = [side for _, side, *_ in Model(pyramid[1], maps).compute_output_shape((1, 256, 256, image.shape[-1]))]
    if sides != [4 * sides[-1], 2 * sides[-1], sides[-1]]:
        raise InputError(
            "decoder='yolox' merges maps that are half as large as the one before, and those of the encoder have "
            f"{', '.join(map(str, sides))} rows. Choose an encoder whose convolutions pad their inputs."
        )
    maps = [conv(x, filters, 1, f"decoder-lateral-{level}") for level, x in enumerate(maps)]
    maps = neck(maps, depth, depthwise, "decoder-neck")
    levels = [head(x, filters, num_classes, depthwise, level, "decoder-head") for level, x in enumerate(maps)]
    return found_in(
        levels,
        maps,
        image,
        pyramid[1],
        "decoder-",
        score_threshold=score_threshold,
        iou_threshold=iou_threshold,
        candidates=candidates,
        count=count,
    )
