"""The sparsity-invariant network and its plain twin. Uhrig et al., 2017, https://arxiv.org/abs/1708.06500, figure 2.

Both complete a depth map: metres where they were measured, 0 elsewhere, and a mask that is 1 where they were.
"""

from collections.abc import Sequence
from typing import Any

from keras import layers

from zoo.layers import SparseConv2D

METRES = 20.0  # the unit inside: a usual depth is then about 1, as initialisers expect it
KERNEL_SIZES = (11, 7, 5, 3, 3)


def head(x: Any) -> Any:
    """A depth for each pixel: (b, h, w, c) -> (b, h, w, 1), metres."""
    depths = layers.Conv2D(1, 1, name="depth")(x)
    return layers.Rescaling(METRES, name="metres")(depths)


def sparseconvnet(image: Any, mask: Any, *, filters: int = 16, kernel_sizes: Sequence[int] = KERNEL_SIZES) -> Any:
    """Sparse convolutions: each sees the valid pixels only, and is divided by how many they are.

    Args:
        image: Depths in metres, 0 where none was measured, `(batch, height, width, 1)`. Any height and width.
        mask: 1 where one was measured, else 0, `(batch, height, width, 1)`.
        filters: Channels of each convolution.
        kernel_sizes: Side of each kernel, in pixels.

    Returns:
        Depths in metres, `(batch, height, width, 1)`. Where no measured pixel is near (12 pixels with the kernels of
        the paper) they are one constant.
    """
    x = layers.Rescaling(1 / METRES, name="unit")(image)
    for index, kernel_size in enumerate(kernel_sizes):
        options = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
        x, mask = SparseConv2D(filters, kernel_size, **options, name=f"conv{index + 1}")([x, mask])
    return head(x)


def convnet(image: Any, mask: Any, *, filters: int = 16, kernel_sizes: Sequence[int] = KERNEL_SIZES) -> Any:
    """Ordinary convolutions of the same kernels, which see the mask as a second channel ("ConvNet + mask").

    Args and returned depths are as those of `sparseconvnet`.
    """
    x = layers.Rescaling(1 / METRES, name="unit")(image)
    x = layers.Concatenate(name="depths-and-mask")([x, mask])
    for index, kernel_size in enumerate(kernel_sizes):
        options = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
        x = layers.Conv2D(filters, kernel_size, **options, name=f"conv{index + 1}")(x)
    return head(x)
