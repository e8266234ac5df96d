"""CoordConv and its plain twins. Liu et al., 2018, https://arxiv.org/abs/1807.03247, section 4.

From two numbers to a canvas of 64 x 64 pixels, where a pixel is to be found (4.1) or a square to be drawn (4.3), and
from a canvas with a square to two numbers (4.2). A pixel is `(x, y)`, column and row, from 0 to 63.
"""

from collections.abc import Sequence
from typing import Any

from keras import initializers, layers

from zoo.layers import AddCoords2D

CANVAS = 64  # pixels per side
CONTRAST = 20.0  # of the regressor's image, beside coordinates from -1 to 1: a maximum over all pixels is in the square


def seed(coordinates: Any, canvas: int) -> Any:
    """Pixels to the unit of AddCoords2D: (b, 2), 0 to canvas - 1 -> (b, 1, 1, 2), -1 to 1."""
    centred = layers.Rescaling(2 / (canvas - 1), offset=-1.0, name="normalization")(coordinates)
    return layers.Reshape((1, 1, 2), name="seed")(centred)


def painter(x: Any, *, filters: Sequence[int] = (32, 32, 64, 64)) -> Any:
    """Each pixel by itself, from the wanted place and its own: (b, h, w, 4) -> (b, h, w, 1), logits."""
    for index, width in enumerate(filters):
        options = {"activation": "relu", "kernel_initializer": "he_normal", "name": f"painter-conv{index + 1}"}
        x = layers.Conv2D(width, 1, **options)(x)
    return layers.Conv2D(1, 1, name="painter-logits")(x)


def classifier(coordinates: Any, *, canvas: int = CANVAS, filters: Sequence[int] = (32, 32, 64, 64)) -> Any:
    """Find the pixel, or draw the square, with CoordConv: copy the two numbers to each pixel, add its own, compare.

    Args:
        coordinates: x and y of a pixel, 0 to `canvas - 1`, `(batch, 2)`.
        canvas: Pixels per side of the canvas.
        filters: Channels of the 1x1 convolutions before the last.

    Returns:
        A logit for each pixel, `(batch, canvas, canvas)`: rows, then columns. Trained to find a pixel, their softmax is
        its score; trained to draw, their sigmoid is the brightness.
    """
    copies = layers.UpSampling2D(canvas, name="copies")(seed(coordinates, canvas))
    logits = painter(AddCoords2D(name="coordinates-added")(copies), filters=filters)
    return layers.Reshape((canvas, canvas), name="logits")(logits)


def deconvolution(
    coordinates: Any, *, canvas: int = CANVAS, filters: Sequence[int] = (64, 64, 64, 32, 32), kernel_size: int = 3
) -> Any:
    """Find or draw without coordinates: transposed convolutions double a single pixel, six times to 64.

    Args:
        coordinates: As `classifier` takes them.
        canvas: Pixels per side of the canvas, 2 to the number of doublings.
        filters: Channels after each of the doublings before the last.
        kernel_size: Side of all kernels.

    Returns:
        As `classifier` gives them.

    Raises:
        ValueError: The doublings do not make the canvas.
    """
    if canvas != 2 ** (len(filters) + 1):
        raise ValueError(
            f"{len(filters) + 1} doublings make a canvas of {2 ** (len(filters) + 1)} pixels per side. Received: "
            f"canvas={canvas}. Expected both to agree."
        )
    x = seed(coordinates, canvas)
    options = {"strides": 2, "padding": "same", "kernel_initializer": "he_normal"}
    for index, width in enumerate(filters):
        name = f"deconv{index + 1}"
        x = layers.Conv2DTranspose(width, kernel_size, **options, name=name)(x)
        x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}-bn")(x)
        x = layers.ReLU(name=f"{name}-relu")(x)
    x = layers.Conv2DTranspose(1, kernel_size, **options, name="deconv-logits")(x)
    return layers.Reshape((canvas, canvas), name="logits")(x)


def pixels(x: Any) -> Any:
    """The unit of AddCoords2D to pixels: (b, 2), -1 to 1 -> 0 to 63."""
    return layers.Rescaling((CANVAS - 1) / 2, offset=(CANVAS - 1) / 2, name="pixels")(x)


def regressor(image: Any, *, filters: int = 8) -> Any:
    """Tell where a white square lies on a black canvas, with CoordConv.

    As in the authors' code nothing bends before the maximum over all pixels. Each feature is a direction, and its
    maximum lies at the square's outermost pixel in that direction, wherever the square is.

    Args:
        image: A canvas, `(batch, height, width, 1)`, 0 black and 1 white.
        filters: How many directions.

    Returns:
        x and y of the square's centre in pixels of a canvas of 64 x 64, `(batch, 2)`.
    """
    x = layers.Rescaling(CONTRAST, offset=-CONTRAST, name="contrast")(image)
    # Positive at first: a feature that rises with darkness would have its maximum off the square and never learn.
    positive = initializers.RandomUniform(0.0, 1.0)
    x = layers.Conv2D(filters, 1, kernel_initializer=positive, name="directions")(
        AddCoords2D(name="coordinates-added")(x)
    )
    return pixels(layers.Dense(2, name="centre")(layers.GlobalMaxPooling2D(name="outermost")(x)))


def convolution(image: Any, *, filters: int = 16) -> Any:
    """Tell where the square lies without coordinates: convolutions halve the canvas five times.

    Much like the authors' network for the quadrant split, without the rectified linear unit after its last convolution.
    All that it can know of places comes from the zeros around the canvas.

    Args:
        image: As `regressor` takes it.
        filters: Channels of all convolutions before the last.

    Returns:
        As `regressor` gives it.
    """
    shapes = ((5, 2), (1, 1), (3, 1), (3, 2), (3, 2), (3, 2), (1, 1), (3, 2))  # kernel size and stride
    x = image
    for index, (kernel_size, stride) in enumerate(shapes):
        options = {"strides": stride, "padding": "same", "kernel_initializer": "he_normal"}
        x = layers.Conv2D(filters, kernel_size, **options, name=f"conv{index + 1}")(x)
        x = layers.ReLU(name=f"conv{index + 1}-relu")(x)
        if index in (1, 4):
            x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"conv{index + 1}-bn")(x)
    x = layers.Conv2D(2, 3, padding="same", kernel_initializer="he_normal", name="centre")(x)
    return pixels(layers.GlobalAveragePooling2D(name="mean")(x))
