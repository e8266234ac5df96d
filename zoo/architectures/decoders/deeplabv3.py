"""DeepLabV3's decoder: the atrous pyramid over the deepest map, and interpolation. Its encoder's stride is 8 at best.

Chen et al., 2017, https://arxiv.org/abs/1706.05587, section 3.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import layers

from zoo.architectures.blocks import batch_norm, conv2d
from zoo.architectures.decoders.atrous import atrous_pyramid
from zoo.architectures.decoders.parts import as_large, classify, strided


def deeplabv3(
    image: Any,
    pyramid: Mapping[int, Any],
    *,
    num_classes: int,
    filters: int = 256,
    rates: Sequence[int] = (12, 24, 36),
    separable: bool = False,
    dropout: float = 0.5,
    align_corners: bool = True,
    logits_stride: int = 1,
) -> Any:
    """From the deepest map, whatever its stride, to the image's size.

    Args:
        image: The image, `(batch, height, width, channels)`, any height and width.
        pyramid: The encoder's maps by stride.
        num_classes: Channels of the logits.
        filters: Channels of each branch and of what follows.
        rates: Dilation rates of the branches; made for a map at stride 8.
        separable: Whether dilated convolutions go in each channel, then across.
        dropout: Share of the pyramid's outputs that is left out in training.
        align_corners: Whether the corners of the logits' map stay corners of the image.
        logits_stride: Of the logits: 1, as large as the image, or that of one of the maps.

    Returns:
        Logits `(batch, height / logits_stride, width / logits_stride, num_classes)`.
    """
    maps = strided(pyramid)
    x = atrous_pyramid(maps[max(maps)], filters, rates, separable=separable, dropout=dropout, name="decoder-aspp")
    x = conv2d(x, filters, 3, name="decoder-conv")
    x = layers.ReLU(name="decoder-relu")(batch_norm(x, "decoder-bn"))
    return as_large(classify(x, num_classes, 1), image, pyramid, logits_stride, align_corners=align_corners)
