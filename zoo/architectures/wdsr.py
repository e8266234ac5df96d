"""WDSR-A, wide activation for super-resolution. Yu et al., 2018, https://arxiv.org/abs/1808.08718, figures 1 and 2.

Three choices of ours: no weight normalization, since fixed weights run alike with and without; the network predicts
what a bicubic enlargement lacks; and that of the luma only, added to red, green and blue alike.
"""

from typing import Any

from keras import layers

from zoo.architectures.enlargement import enlarged, luma
from zoo.layers import PixelShuffle2D


def block(x: Any, expansion: int, name: str) -> Any:
    """Figure 1, middle: `expansion` times as many channels where the activation is, few where blocks are added."""
    filters = x.shape[-1]
    residual = layers.Conv2D(filters * expansion, 3, padding="same", activation="relu", name=f"{name}-conv1")(x)
    residual = layers.Conv2D(filters, 3, padding="same", name=f"{name}-conv2")(residual)
    return layers.Add(name=f"{name}-add")([x, residual])


def luma_detail(x: Any, *, scale: int, depth: int = 9, filters: int = 16, expansion: int = 2) -> Any:
    """Figure 2, what the enlarged luma lacks: (b, h, w, 1) -> (b, scale * h, scale * w, 1), in the unit of `x`."""
    skip = layers.Conv2D(scale**2, 5, padding="same", kernel_initializer="zeros", name="skip")(x)
    x = layers.Conv2D(filters, 3, padding="same", name="head")(x)
    for index in range(depth):
        x = block(x, expansion, f"body-{index}")
    # Zeros at first: training starts at the bicubic enlargement and can only depart from it for the better.
    x = layers.Conv2D(scale**2, 3, padding="same", kernel_initializer="zeros", name="tail")(x)
    return PixelShuffle2D(scale, name="shuffle")(layers.Add(name="detail")([x, skip]))


def wdsr(image: Any, *, scale: int, depth: int = 9, filters: int = 16, expansion: int = 2) -> Any:
    """Enlarge RGB images `scale` times.

    Args:
        image: RGB in [0, 1], `(batch, height, width, 3)`, height and width may be unknown.
        scale: Enlargement of height and width, an int of at least 2.
        depth: Residual blocks.
        filters: Channels between the blocks.
        expansion: How many times as many channels the activation of a block has.

    Returns:
        RGB in [0, 255], `(batch, scale * height, scale * width, 3)`, not clipped: the cubic overshoots at edges.
    """
    detail = luma_detail(luma(image), scale=scale, depth=depth, filters=filters, expansion=expansion)
    return enlarged(image, detail, scale=scale)
