"""DeepLabV3+'s decoder: the atrous pyramid over the deepest map, refined by the encoder's map at stride 4.

Chen et al., 2018, https://arxiv.org/abs/1802.02611, figure 2.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import layers

from zoo.architectures.blocks import batch_norm
from zoo.architectures.decoders.atrous import atrous_pyramid
from zoo.architectures.decoders.parts import as_large, classify, conv_relu, separable_conv, strided
from zoo.errors import InputError
from zoo.layers import BilinearLike2D

SKIP_FILTERS = 48  # of the map at stride 4, as in section 4.1


def deeplabv3plus(
    image: Any,
    pyramid: Mapping[int, Any],
    *,
    num_classes: int,
    filters: int = 256,
    rates: Sequence[int] = (12, 24, 36),
    separable: bool = True,
    dropout: float = 0.5,
    logits_stride: int = 1,
) -> Any:
    """From the deepest map, at best of stride 16 or 8, to the one at stride 4, and from there to the image's size.

    Args:
        image: The image, `(batch, height, width, channels)`, any height and width.
        pyramid: The encoder's maps by stride, one of stride 4 among them.
        num_classes: Channels of the logits.
        filters: Channels of each branch and of what follows.
        rates: Dilation rates of the branches.
        separable: Whether dilated convolutions go in each channel, then across.
        dropout: Share of the pyramid's outputs that is left out in training.
        logits_stride: Of the logits: 1, as large as the image, or that of one of the maps.

    Returns:
        Logits `(batch, height / logits_stride, width / logits_stride, num_classes)`.
    """
    maps = strided(pyramid)
    if 4 not in maps:
        raise InputError(
            f"decoder='deeplabv3plus' refines the map of stride 4, and there are those of {', '.join(map(str, maps))}. "
            "Expected 4 among strides."
        )
    x = maps[max(maps)]
    x = atrous_pyramid(x, filters, rates, separable=separable, dropout=dropout, name="decoder-aspp-0")
    x = separable_conv(x, filters, 3, "decoder-aspp-1")
    x = layers.ReLU(name="decoder-aspp-3")(batch_norm(x, "decoder-aspp-2"))
    skip = conv_relu(maps[4], SKIP_FILTERS, 1, "decoder-block1")
    x = BilinearLike2D(align_corners=True, name="decoder-up")([x, skip])
    x = layers.Concatenate(name="decoder-concatenate")([x, skip])
    x = separable_conv(x, filters, 3, "decoder-block2-0")
    x = layers.ReLU(name="decoder-block2-2")(batch_norm(x, "decoder-block2-1"))
    return as_large(classify(x, num_classes, 1), image, pyramid, logits_stride)
