"""What detectors share: a pyramid for detection, heads that see every map, and the way from their numbers to boxes.

Layers are called as in torchvision, after a prefix. A detector gives its raw numbers, for training, by torchvision's
names: `cls_logits` `(batch, places, classes)`, `bbox_regression` `(batch, places, 4)` and what else its head has, the
places of all maps one after the other; and for use `boxes`, `scores`, `classes` and `count`.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from keras import initializers, layers

from zoo.architectures.blocks import conv2d
from zoo.layers import BestBoxes, NearestLike2D, NonMaximumSuppression

PRIOR = 0.01  # the score of every class at every place before training, RetinaNet's section 4.1


def feature_pyramid(maps: Sequence[Any], filters: int, name: str, *, top: str = "p5") -> list[Any]:
    """Maps of one depth from the encoder's, largest first, and two smaller ones above: P3 to P7.

    Lin et al., 2017, https://arxiv.org/abs/1612.03144, figure 3; the smaller ones are made from the last of these
    (`top="p5"`) or from the encoder's own (`"c5"`).
    """
    last = layers.Conv2D(filters, 1, name=f"{name}-inner_blocks-{len(maps) - 1}-0")(maps[-1])
    inner = [last]
    for index, x in reversed(list(enumerate(maps[:-1]))):
        x = layers.Conv2D(filters, 1, name=f"{name}-inner_blocks-{index}-0")(x)
        last = NearestLike2D(name=f"{name}-inner_blocks-{index}-up")([last, x])
        last = layers.Add(name=f"{name}-inner_blocks-{index}-add")([x, last])
        inner.insert(0, last)
    levels = [
        conv2d(x, filters, 3, use_bias=True, name=f"{name}-layer_blocks-{index}-0") for index, x in enumerate(inner)
    ]
    x = levels[-1] if top == "p5" else maps[-1]
    levels.append(conv2d(x, filters, 3, strides=2, use_bias=True, name=f"{name}-extra_blocks-p6"))
    x = layers.ReLU(name=f"{name}-extra_blocks-relu")(levels[-1])
    levels.append(conv2d(x, filters, 3, strides=2, use_bias=True, name=f"{name}-extra_blocks-p7"))
    return levels


def constant_of_prior(prior: float) -> initializers.Constant:
    """The logit of a score."""
    return initializers.Constant(-math.log((1 - prior) / prior))


def convolution(
    filters: int, name: str, *, use_bias: bool = True, prior: float | None = None, start: float = 0.0
) -> layers.Conv2D:
    """A 3x3 convolution of a head, which all maps share; its outputs begin near `start`, with `prior` as the logits of
    that score."""
    return layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=initializers.RandomNormal(stddev=0.01),
        bias_initializer=initializers.Constant(start) if prior is None else constant_of_prior(prior),
        name=name,
    )


def shared(parts: Sequence[Callable[[Any], Any]], maps: Sequence[Any]) -> list[Any]:
    """What layers, one after the other, make of each map."""
    results = []
    for x in maps:
        for part in parts:
            x = part(x)
        results.append(x)
    return results


def normalization(name: str) -> Callable[[Any], Any]:
    """Group normalisation that all maps share."""
    return layers.GroupNormalization(32, epsilon=1e-5, name=name)


def by_place(maps: Sequence[Any], values: int, name: str) -> list[Any]:
    """Each map as a list of its places, a row after the other: (b, h, w, n * values) -> (b, h * w * n, values)."""
    return [layers.Reshape((-1, values), name=f"{name}-{index}")(x) for index, x in enumerate(maps)]


def joined(levels: Sequence[Any], name: str) -> Any:
    """The places of all maps, one after the other."""
    return layers.Concatenate(axis=1, name=name)(list(levels))


def detections(
    boxes: Sequence[Any],
    scores: Sequence[Any],
    name: str,
    *,
    score_threshold: float,
    iou_threshold: float,
    candidates: int,
    count: int,
    by: str = "pair",
    background: int = 0,
) -> dict[str, Any]:
    """Boxes, best first, from those of every map and their scores: the best `candidates` of each, then of all one for
    each object.

    Returns:
        `boxes` `(batch, count, 4)`, `scores` and `classes` `(batch, count)` and how many there are, `count` `(batch,)`.
    """
    found = []
    for index, level in enumerate(zip(boxes, scores, strict=True)):
        best = BestBoxes(candidates, score_threshold, by, background, name=f"{name}-best-{index}")
        found.append(best(list(level)))
    parts = ("boxes", "scores", "classes")
    if len(found) > 1:
        together = [joined(each, f"{name}-{part}") for part, each in zip(parts, zip(*found, strict=True), strict=True)]
    else:
        together = list(found[0])
    kept = NonMaximumSuppression(count, iou_threshold, name=f"{name}-suppression")(together)
    return dict(zip((*parts, "count"), kept, strict=True))
