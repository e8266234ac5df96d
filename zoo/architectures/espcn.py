"""ESPCN, sub-pixel super-resolution. Shi et al., 2016, https://arxiv.org/abs/1609.05158, figure 1 and section 3.2.

Three choices of ours: rectified linear units in place of tanh; the network predicts what a bicubic enlargement lacks
instead of the whole image; and what it predicts for the luma is added to red, green and blue alike, which leaves
Cb and Cr bicubic, exactly as the paper does, without leaving RGB.
"""

from collections.abc import Sequence
from typing import Any

from keras import layers

from zoo.architectures.enlargement import enlarged, luma
from zoo.layers import PixelShuffle2D


def luma_detail(x: Any, *, scale: int, filters: Sequence[int] = (64, 32)) -> Any:
    """Figure 1, what the enlarged luma lacks: (b, h, w, 1) -> (b, scale * h, scale * w, 1), in the unit of `x`."""
    for index, width in enumerate(filters):
        kernel_size = 5 if index == 0 else 3
        name = f"feature-conv{index + 1}"
        x = layers.Conv2D(width, kernel_size, padding="same", activation="relu", name=name)(x)
    # Zeros at first: training starts at the bicubic enlargement and can only depart from it for the better.
    x = layers.Conv2D(scale**2, 3, padding="same", kernel_initializer="zeros", name="subpixel-conv")(x)
    return PixelShuffle2D(scale, name="subpixel-shuffle")(x)


def espcn(image: Any, *, scale: int, filters: Sequence[int] = (64, 32)) -> Any:
    """Enlarge RGB images `scale` times.

    Args:
        image: RGB in [0, 1], `(batch, height, width, 3)`, height and width may be unknown.
        scale: Enlargement of height and width, an int of at least 2.
        filters: Channels of the feature convolutions, the first 5x5 and the others 3x3.

    Returns:
        RGB in [0, 255], `(batch, scale * height, scale * width, 3)`, not clipped: the cubic overshoots at edges.
    """
    return enlarged(image, luma_detail(luma(image), scale=scale, filters=filters), scale=scale)
