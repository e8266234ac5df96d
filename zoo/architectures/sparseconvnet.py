"""The sparsity-invariant network and its plain twin. Uhrig et al., 2017, https://arxiv.org/abs/1708.06500, figure 2.

Both complete a depth map: metres where they were measured, 0 elsewhere, and a mask that is 1 where they were. With
`diffusion`, which is ours, the first drops what a nearer point hides, and improves a fill by diffusion.
"""

from collections.abc import Sequence
from typing import Any

from keras import layers, ops

from zoo.layers import DiffusionFill2D, SparseConv2D

METRES = 20.0  # the unit inside: a usual depth is then about 1, as initialisers expect it
KERNEL_SIZES = (11, 7, 5, 3, 3)
GAIN = 64.0  # of the diffusion
FARTHEST = 1000.0  # metres: what is filled where nothing was measured
WINDOW, BEHIND = 5, 1.1  # a point is hidden that is a tenth farther than another within a window of so many pixels


def head(x: Any) -> Any:
    """A depth for each pixel: (b, h, w, c) -> (b, h, w, 1), metres."""
    depths = layers.Conv2D(1, 1, name="depth")(x)
    return layers.Rescaling(METRES, name="metres")(depths)


def sparseconvnet(
    image: Any, mask: Any, *, filters: int = 16, kernel_sizes: Sequence[int] = KERNEL_SIZES, diffusion: bool = False
) -> Any:
    """Sparse convolutions: each sees the valid pixels only, and is divided by how many they are.

    Args:
        image: Depths in metres, 0 where none was measured, `(batch, height, width, 1)`. Any height and width.
        mask: 1 where one was measured, else 0, `(batch, height, width, 1)`.
        filters: Channels of each convolution.
        kernel_sizes: Side of each kernel, in pixels.
        diffusion: Whether the inverse depths are first filled by diffusion, from the points that no nearer one hides,
            and the network multiplies what was filled by a factor, 1/e to e. These points keep their depth.

    Returns:
        Depths in metres, `(batch, height, width, 1)`. Without diffusion they are one constant where no measured pixel
        is near (12 pixels with the kernels of the paper).
    """
    if diffusion:
        return improved_fill(image, mask, filters=filters, kernel_sizes=kernel_sizes)
    x = layers.Rescaling(1 / METRES, name="unit")(image)
    for index, kernel_size in enumerate(kernel_sizes):
        x, mask = convolve(x, mask, filters, kernel_size, name=f"conv{index + 1}")
    return head(x)


def convolve(x: Any, mask: Any, filters: int, kernel_size: int, *, name: str) -> tuple[Any, Any]:
    """A sparse convolution: features and mask, (b, h, w, c) and (b, h, w, 1), to the next ones."""
    options = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
    return SparseConv2D(filters, kernel_size, **options, name=name)([x, mask])


def visible(image: Any, mask: Any) -> Any:
    """The mask without points that lie behind a point nearby: 1 or 0, (b, h, w, 1).

    A laser that is not where the camera is sees past the edges of what is near, and such points fall among those of it.
    """
    inverse = inverse_depths(image, mask)
    nearest = ops.max_pool(inverse, WINDOW, strides=1, padding="same")
    return ops.cast(mask, "float32") * ops.cast(inverse * BEHIND >= nearest, "float32")


def inverse_depths(image: Any, mask: Any) -> Any:
    """1 / metres where measured, else 0."""
    mask, image = (ops.cast(x, "float32") for x in (mask, image))
    return mask / ops.where(mask > 0, ops.maximum(image, 1 / FARTHEST), 1.0)


def diffused(image: Any, mask: Any) -> Any:
    """Depths of which the inverse is filled by diffusion: metres, (b, h, w, 1)."""
    fill = DiffusionFill2D(gain=GAIN, name="fill", dtype="float32")([inverse_depths(image, mask), mask])
    return 1.0 / ops.maximum(fill, 1 / FARTHEST)


def improved_fill(image: Any, mask: Any, *, filters: int, kernel_sizes: Sequence[int]) -> Any:
    """The fill of the visible points, times a factor for each other pixel: metres, (b, h, w, 1).

    The first convolution sees the visible points; from then on all is valid, as the fill has a depth everywhere.
    """
    mask = visible(image, mask)
    fill = diffused(image, mask)
    logarithms = ops.log(fill / METRES)
    x, _ = convolve(logarithms, mask, filters, kernel_sizes[0], name="conv1")
    x = layers.Concatenate(name="points-fill-mask")([x, logarithms, mask])
    everywhere = ops.ones_like(mask)
    for index, kernel_size in enumerate(kernel_sizes[1:], start=2):
        x, everywhere = convolve(x, everywhere, filters, kernel_size, name=f"conv{index}")
    factors = layers.Conv2D(1, 1, kernel_initializer="zeros", dtype="float32", name="logarithm")(x)
    return fill * ops.exp(ops.tanh(factors) * (1.0 - mask))


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
