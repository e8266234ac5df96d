"""What the networks that enlarge images share: they predict, for the luma, what a bicubic enlargement lacks."""

from typing import Any

from keras import layers

from zoo.layers import BicubicUpSampling2D


def luma(image: Any) -> Any:
    """Luma of ITU-R BT.601, a constant function of the colours: (b, h, w, 3) -> (b, h, w, 1), range unchanged."""
    return 0.299 * image[..., 0:1] + 0.587 * image[..., 1:2] + 0.114 * image[..., 2:3]


def enlarged(image: Any, detail: Any, *, scale: int) -> Any:
    """Add the detail of the luma to the bicubic enlargement.

    Added to red, green and blue alike it changes the luma and leaves Cb and Cr bicubic, without leaving RGB.

    Args:
        image: RGB in [0, 1], `(batch, height, width, 3)`.
        detail: What the enlarged luma lacks, in the same unit, `(batch, scale * height, scale * width, 1)`.
        scale: Enlargement of height and width, an int of at least 2.

    Returns:
        RGB in [0, 255], `(batch, scale * height, scale * width, 3)`, not clipped: the cubic overshoots at edges.
    """
    smooth = BicubicUpSampling2D(scale, name="bicubic")(image)
    return layers.Rescaling(255.0, name="pixels")(layers.Add(name="enlarged")([smooth, detail]))
