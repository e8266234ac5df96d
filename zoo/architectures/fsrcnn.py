"""FSRCNN, super-resolution by transposed convolution. Dong et al., 2016, https://arxiv.org/abs/1608.00367, section 3.2.

A wide convolution sees the image, a narrow waist maps it, and one transposed convolution enlarges. The convolutions
do not know the scale, so a network for another scale may begin with them (section 3.4). Two choices of ours, as in
`espcn.py`: the network predicts what a bicubic enlargement of the luma lacks, and the borders are padded.
"""

from typing import Any

from keras import initializers, layers

from zoo.architectures.enlargement import enlarged, luma


def luma_detail(
    x: Any, *, scale: int, filters: int = 56, shrunk_filters: int = 12, mapping_convolutions: int = 4
) -> Any:
    """Figure 2, what the enlarged luma lacks: (b, h, w, 1) -> (b, scale * h, scale * w, 1), in the unit of `x`."""
    x = _convolution(x, filters, 5, "feature")
    x = _convolution(x, shrunk_filters, 1, "shrink")
    for index in range(mapping_convolutions):
        x = _convolution(x, shrunk_filters, 3, f"map{index + 1}")
    x = _convolution(x, filters, 1, "expand")
    # Zeros at first: training starts at the bicubic enlargement and can only depart from it for the better.
    return layers.Conv2DTranspose(1, 9, scale, padding="same", kernel_initializer="zeros", name="deconv")(x)


def fsrcnn(
    image: Any, *, scale: int, filters: int = 56, shrunk_filters: int = 12, mapping_convolutions: int = 4
) -> Any:
    """Enlarge RGB images `scale` times.

    Args:
        image: RGB in [0, 1], `(batch, height, width, 3)`, height and width may be unknown.
        scale: Enlargement of height and width, an int of at least 2.
        filters: Channels before and after the waist, the paper's d.
        shrunk_filters: Channels of the waist, the paper's s.
        mapping_convolutions: How many 3x3 convolutions the waist has, the paper's m.

    Returns:
        RGB in [0, 255], `(batch, scale * height, scale * width, 3)`, not clipped: the cubic overshoots at edges.
    """
    sizes = {"filters": filters, "shrunk_filters": shrunk_filters, "mapping_convolutions": mapping_convolutions}
    return enlarged(image, luma_detail(luma(image), scale=scale, **sizes), scale=scale)


def _convolution(x: Any, filters: int, kernel_size: int, name: str) -> Any:
    """Convolution and PReLU, a slope for each channel: (b, h, w, c) -> (b, h, w, filters)."""
    x = layers.Conv2D(filters, kernel_size, padding="same", kernel_initializer="he_normal", name=f"{name}-conv")(x)
    slope = initializers.Constant(0.25)
    return layers.PReLU(alpha_initializer=slope, shared_axes=[1, 2], name=f"{name}-prelu")(x)
