"""Boxes, `(x1, y1, x2, y2)` in pixels along the last axis: areas, overlaps, and how networks write them.

Functions of tensors, and no layers: losses, metrics and the layers of detection share them. Any leading axes.
"""

import math

from keras import ops

MOST_ENLARGED = math.log(1000 / 16)  # of a side, as a logarithm: what torchvision and Detectron clip it to


def corners(boxes):
    """The four sides, each `(..., 1)` smaller by the last axis: `x1, y1, x2, y2`."""
    return tuple(boxes[..., side] for side in range(4))


def areas(boxes):
    """`(..., 4)` -> `(...)`, in square pixels; 0 for a box whose sides are swapped."""
    left, top, right, bottom = corners(boxes)
    return ops.maximum(right - left, 0) * ops.maximum(bottom - top, 0)


def intersection_over_union(boxes, others):
    """How far boxes overlap: what both cover over what either does, from 0 to 1; 0 where neither covers anything.

    Broadcasts: `boxes[:, None]` and `others[None]` give every pair.

    Example:
        >>> import keras
        >>> from zoo.layers.box_geometry import intersection_over_union
        >>> one, two = keras.ops.array([[0.0, 0, 10, 10]]), keras.ops.array([[5.0, 0, 15, 10]])
        >>> round(float(intersection_over_union(one, two)[0]), 4)
        0.3333
    """
    common, united = _common(boxes, others)
    return common / ops.maximum(united, 1e-9)


def generalized_intersection_over_union(boxes, others):
    """The same, less the share of the smallest box around both that neither covers: from -1 to 1.

    Rezatofighi et al., 2019, https://arxiv.org/abs/1902.09630, algorithm 1. It says how far apart boxes are that do not
    touch, so that a loss of it has a slope everywhere.
    """
    common, united = _common(boxes, others)
    first, second = corners(boxes), corners(others)
    width = ops.maximum(first[2], second[2]) - ops.minimum(first[0], second[0])
    height = ops.maximum(first[3], second[3]) - ops.minimum(first[1], second[1])
    around = ops.maximum(width * height, 1e-9)
    return common / ops.maximum(united, 1e-9) - (around - united) / around


def _common(boxes, others):
    first, second = corners(boxes), corners(others)
    width = ops.minimum(first[2], second[2]) - ops.maximum(first[0], second[0])
    height = ops.minimum(first[3], second[3]) - ops.maximum(first[1], second[1])
    common = ops.maximum(width, 0) * ops.maximum(height, 0)
    return common, areas(boxes) + areas(others) - common


def centers_and_sizes(boxes):
    """`(..., 4)` -> the centre's x and y, width and height, each `(...)`."""
    left, top, right, bottom = corners(boxes)
    width, height = right - left, bottom - top
    return left + width / 2, top + height / 2, width, height


def encode_offsets(boxes, anchors, scales=(1.0, 1.0, 1.0, 1.0)):
    """Boxes as a network learns them: shifts of an anchor's centre in its sizes, and logarithms of its enlargement.

    Ren et al., 2015, https://arxiv.org/abs/1506.01497, equation 2, each times its number in `scales`.
    """
    (x, y, width, height), (x_a, y_a, width_a, height_a) = centers_and_sizes(boxes), centers_and_sizes(anchors)
    offsets = (x - x_a) / width_a, (y - y_a) / height_a, ops.log(width / width_a), ops.log(height / height_a)
    return ops.stack([offset * scale for offset, scale in zip(offsets, scales, strict=True)], axis=-1)


def decode_offsets(offsets, anchors, scales=(1.0, 1.0, 1.0, 1.0), most_enlarged=MOST_ENLARGED):
    """The boxes of `encode_offsets`; logarithms above `most_enlarged` count as it, None stands for any."""
    x_a, y_a, width_a, height_a = centers_and_sizes(anchors)
    x, y, width, height = (side / scale for side, scale in zip(corners(offsets), scales, strict=True))
    if most_enlarged is not None:
        width, height = ops.minimum(width, most_enlarged), ops.minimum(height, most_enlarged)
    x, y, width, height = x * width_a + x_a, y * height_a + y_a, ops.exp(width) * width_a, ops.exp(height) * height_a
    return ops.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=-1)


def encode_distances(boxes, anchors):
    """Boxes as FCOS learns them: from an anchor's centre to the left, top, right and bottom, in the anchor's sizes.

    Tian et al., 2019, https://arxiv.org/abs/1904.01355, equation 1.
    """
    x, y, width, height = centers_and_sizes(anchors)
    left, top, right, bottom = corners(boxes)
    return ops.stack([(x - left) / width, (y - top) / height, (right - x) / width, (bottom - y) / height], axis=-1)


def decode_distances(distances, anchors):
    """The boxes of `encode_distances`."""
    x, y, width, height = centers_and_sizes(anchors)
    left, top, right, bottom = corners(distances)
    return ops.stack([x - left * width, y - top * height, x + right * width, y + bottom * height], axis=-1)
