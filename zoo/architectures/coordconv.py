"""CoordConv and its plain twin. Liu et al., 2018, https://arxiv.org/abs/1807.03247, section 4.1.

The task: to find, on a canvas of 64 x 64 pixels, the pixel that two numbers name. A pixel is `(x, y)`,
column and row, from 0 to 63.
"""

from collections.abc import Sequence
from typing import Any

from keras import layers

from zoo.layers import AddCoords2D

CANVAS = 64  # pixels a side


def seed(coordinates: Any) -> Any:
    """Pixels to the unit of AddCoords2D: (b, 2), 0 to 63 -> (b, 1, 1, 2), -1 to 1."""
    centred = layers.Rescaling(2 / (CANVAS - 1), offset=-1.0, name="normalization")(coordinates)
    return layers.Reshape((1, 1, 2), name="seed")(centred)


def painter(x: Any, *, filters: Sequence[int] = (32, 32, 64, 64)) -> Any:
    """Each pixel by itself, from the wanted place and its own: (b, h, w, 4) -> (b, h, w, 1), logits."""
    for index, width in enumerate(filters):
        options = {"activation": "relu", "kernel_initializer": "he_normal", "name": f"painter-conv{index + 1}"}
        x = layers.Conv2D(width, 1, **options)(x)
    return layers.Conv2D(1, 1, name="painter-logits")(x)


def classifier(coordinates: Any, *, filters: Sequence[int] = (32, 32, 64, 64)) -> Any:
    """Find the pixel with CoordConv: copy the two numbers to each pixel, add the pixel's own, compare.

    Args:
        coordinates: x and y of a pixel, 0 to 63, `(batch, 2)`.
        filters: Channels of the 1x1 convolutions before the last.

    Returns:
        A logit for each pixel, `(batch, 64, 64)`: rows, then columns. Their softmax is the score of the pixel.
    """
    copies = layers.UpSampling2D(CANVAS, name="copies")(seed(coordinates))
    logits = painter(AddCoords2D(name="coordinates-added")(copies), filters=filters)
    return layers.Reshape((CANVAS, CANVAS), name="logits")(logits)


def deconvolution(coordinates: Any, *, filters: Sequence[int] = (64, 64, 64, 32, 32), kernel_size: int = 3) -> Any:
    """Find the pixel without coordinates: transposed convolutions double a single pixel six times.

    Args:
        coordinates: As `classifier` takes them.
        filters: Channels after each of the five doublings before the last.
        kernel_size: Side of all kernels.

    Returns:
        As `classifier` gives them.
    """
    x = seed(coordinates)
    options = {"strides": 2, "padding": "same", "kernel_initializer": "he_normal"}
    for index, width in enumerate(filters):
        name = f"deconv{index + 1}"
        x = layers.Conv2DTranspose(width, kernel_size, **options, name=name)(x)
        x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}-bn")(x)
        x = layers.ReLU(name=f"{name}-relu")(x)
    x = layers.Conv2DTranspose(1, kernel_size, **options, name="deconv-logits")(x)
    return layers.Reshape((CANVAS, CANVAS), name="logits")(x)
