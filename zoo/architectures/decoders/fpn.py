"""Panoptic FPN's decoder: every map of the pyramid, with what is deeper added to it, brought to one size and added up.

Lin et al., 2017, https://arxiv.org/abs/1612.03144, figure 3; Kirillov et al., 2019, https://arxiv.org/abs/1901.02446,
figure 3.
"""

from collections.abc import Mapping
from typing import Any

from keras import layers

from zoo.architectures.blocks import conv2d, group_norm
from zoo.architectures.decoders.parts import as_large, classify, strided
from zoo.errors import InputError
from zoo.layers import BilinearLike2D, NearestLike2D

GROUPS = 32  # of channels that are normalised together


def lateral(x: Any, skip: Any, filters: int, upsampling: str, name: str) -> Any:
    """The deeper map as large as the encoder's, and both added: (b, h, w, c) -> (b, height, width, filters)."""
    resize = NearestLike2D if upsampling == "nearest" else BilinearLike2D
    x = resize(name=f"{name}-up")([x, skip])
    return layers.Add(name=f"{name}-add")([x, layers.Conv2D(filters, 1, name=f"{name}-skip_conv")(skip)])


def raise_to(x: Any, sizes: list[Any], filters: int, name: str) -> Any:
    """A 3x3 convolution for each of `sizes`, and twice as large after it; one convolution at least."""
    for index in range(max(len(sizes), 1)):
        x = conv2d(x, filters, 3, name=f"{name}-block-{index}-block-0")
        x = group_norm(x, f"{name}-block-{index}-block-1", groups=GROUPS)
        x = layers.ReLU(name=f"{name}-block-{index}-block-2")(x)
        if sizes:
            x = BilinearLike2D(align_corners=True, name=f"{name}-block-{index}-up")([x, sizes[index]])
    return x


def fpn(
    image: Any,
    pyramid: Mapping[int, Any],
    *,
    num_classes: int,
    pyramid_filters: int = 256,
    filters: int = 128,
    merge: str = "add",
    upsampling: str = "nearest",
    dropout: float = 0.2,
    logits_stride: int = 1,
) -> Any:
    """From the four deepest maps to the size of the largest of them, and from there, interpolated, to the image's.

    Args:
        image: The image, `(batch, height, width, channels)`, any height and width.
        pyramid: The encoder's maps by stride.
        num_classes: Channels of the logits.
        pyramid_filters: Channels of the pyramid.
        filters: Channels of what is added up; a multiple of 32, as they are normalised in 32 groups.
        merge: `"add"`, or `"concatenate"`.
        upsampling: How deeper maps are enlarged: `"nearest"` or `"bilinear"`.
        dropout: Share of the channels that is left out in training.
        logits_stride: Of the logits: 1, as large as the image, or that of one of the maps.

    Returns:
        Logits `(batch, height / logits_stride, width / logits_stride, num_classes)`.
    """
    if filters % GROUPS:
        raise InputError(
            f"decoder='fpn' with filters={filters}. Expected a multiple of {GROUPS}, its groups of channels."
        )
    maps = list(strided(pyramid).values())[-4:][::-1]  # the deepest first
    levels = [layers.Conv2D(pyramid_filters, 1, name="decoder-p5")(maps[0])]
    for index, skip in enumerate(maps[1:]):
        levels.append(lateral(levels[-1], skip, pyramid_filters, upsampling, f"decoder-p{4 - index}"))
    raised = []
    for index, level in enumerate(levels):
        raised.append(raise_to(level, levels[index + 1 :], filters, f"decoder-seg_blocks-{index}"))
    merged = layers.Add if merge == "add" else layers.Concatenate
    x = merged(name="decoder-merge")(raised)
    if dropout:
        x = layers.SpatialDropout2D(dropout, name="decoder-dropout")(x)
    return as_large(classify(x, num_classes, 1), image, pyramid, logits_stride)
