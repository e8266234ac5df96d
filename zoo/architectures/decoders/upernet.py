"""UPerNet's decoder: what the deepest map averages to in a pyramid of grids, carried up through the encoder's maps.

Xiao et al., 2018, https://arxiv.org/abs/1807.10221, figure 4; the grids are PSPNet's, Zhao et al., 2016,
https://arxiv.org/abs/1612.01105, figure 3.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import layers

from zoo.architectures.decoders.parts import as_large, classify, conv_relu, strided
from zoo.errors import InputError
from zoo.layers import AverageTo2D, BilinearLike2D


def pyramid_pooling(x: Any, grids: Sequence[int], filters: int, name: str) -> Any:
    """Averages of grids of so many cells beside the map, and a 3x3 over all: (b, h, w, c) -> (b, h, w, filters)."""
    pooled = [x]
    for index, cells in enumerate(grids):
        part = f"{name}-blocks-{index}"
        y = AverageTo2D(cells, name=f"{part}-0")(x)
        y = conv_relu(y, filters, 1, f"{part}-1")
        pooled.append(BilinearLike2D(name=f"{part}-up")([y, x]))
    x = layers.Concatenate(name=f"{name}-concatenate")(pooled)
    return conv_relu(x, filters, 3, f"{name}-out_conv")


def upernet(
    image: Any,
    pyramid: Mapping[int, Any],
    *,
    num_classes: int,
    filters: int = 256,
    grids: Sequence[int] = (1, 2, 3, 6),
    align_corners: bool = True,
    logits_stride: int = 1,
) -> Any:
    """From the deepest map up to the one at stride 4, all of them beside each other there, and the image's size.

    Args:
        image: The image, `(batch, height, width, channels)`, any height and width.
        pyramid: The encoder's maps by stride; those from 4 on are used, each normalised over its channels.
        num_classes: Channels of the logits.
        filters: Channels of each level.
        grids: Rows and columns that the deepest map is averaged to.
        align_corners: Whether the corners of the logits' map stay corners of the image.
        logits_stride: Of the logits: 1, as large as the image, or that of one of the maps.

    Returns:
        Logits `(batch, height / logits_stride, width / logits_stride, num_classes)`.
    """
    maps = [x for stride, x in strided(pyramid).items() if stride >= 4]
    if not maps:
        raise InputError("decoder='upernet' begins with maps of strides from 4 on, and there are none. Choose others.")
    for index, x in enumerate(maps):
        maps[index] = layers.LayerNormalization(epsilon=1e-6, name=f"decoder-feature_norms-{index}")(x)
    x = pyramid_pooling(maps[-1], grids, filters, "decoder-psp")
    outputs = [x]
    for index, lateral in enumerate(maps[-2::-1]):
        lateral = conv_relu(lateral, filters, 1, f"decoder-fpn_lateral_blocks-{index}-conv_norm_relu")
        x = BilinearLike2D(name=f"decoder-fpn_lateral_blocks-{index}-up")([x, lateral])
        x = layers.Add(name=f"decoder-fpn_lateral_blocks-{index}-add")([x, lateral])
        outputs.append(conv_relu(x, filters, 3, f"decoder-fpn_conv_blocks-{index}"))
    largest = outputs[-1]
    for index, x in enumerate(outputs[:-1]):
        outputs[index] = BilinearLike2D(name=f"decoder-fusion_block-up{index}")([x, largest])
    x = layers.Concatenate(name="decoder-fusion_block-concatenate")(outputs[::-1])
    x = conv_relu(x, filters, 3, "decoder-fusion_block")
    return as_large(classify(x, num_classes, 1), image, pyramid, logits_stride, align_corners=align_corners)
