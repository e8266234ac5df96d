"""How an image is made smaller: by MATLAB's bicubic, as the papers do, and in the other ways that one meets."""

import functools
import io
from collections.abc import Callable

import numpy as np
from PIL import Image

JPEG_QUALITY = 90

# From an image whose sides are multiples of the scale to the small one: uint8, (h, w, 3).
Reduction = Callable[[np.ndarray, int], np.ndarray]


def cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' kernel of -0.5."""
    x = np.abs(distance)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0))


@functools.cache
def matrix(before: int, after: int, antialiasing: bool = True) -> np.ndarray:
    """MATLAB's weights along one axis, `(after, before)`: wider where it shrinks, mirrored at the border."""
    ratio = after / before
    stretch = min(ratio, 1) if antialiasing else 1
    width = 4 / stretch
    centres = (np.arange(after) + 0.5) / ratio - 0.5
    taps = np.floor(centres - width / 2)[:, None].astype(int) + np.arange(int(np.ceil(width)) + 2)
    weights = cubic((centres[:, None] - taps) * stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = np.where(taps < 0, -1 - taps, np.where(taps >= before, 2 * before - 1 - taps, taps))
    result = np.zeros((after, before))
    np.add.at(result, (np.arange(after)[:, None], mirrored), weights)
    return result


def matlab_bicubic(image: np.ndarray, height: int, width: int, *, antialiasing: bool = True) -> np.ndarray:
    """`imresize` of uint8, rounded after each axis: `(h, w, 3)` to `(height, width, 3)`."""
    for axis, length in enumerate((height, width)):
        weights = matrix(image.shape[axis], length, antialiasing)
        image = np.moveaxis(np.tensordot(weights, image, (1, axis)), 0, axis)
        image = np.rint(np.clip(image, 0, 255))
    return image.astype("uint8")


def smaller(image: np.ndarray, scale: int) -> np.ndarray:
    """As the papers make their small images."""
    return matlab_bicubic(image, image.shape[0] // scale, image.shape[1] // scale)


def without_antialiasing(image: np.ndarray, scale: int) -> np.ndarray:
    """Bicubic, but between the nearest pixels only; OpenCV's INTER_CUBIC does alike."""
    return matlab_bicubic(image, image.shape[0] // scale, image.shape[1] // scale, antialiasing=False)


def mean_of_squares(image: np.ndarray, scale: int) -> np.ndarray:
    """Each pixel the mean of those that it stands for, as OpenCV's INTER_AREA."""
    height, width = (length // scale for length in image.shape[:2])
    return np.rint(image.reshape(height, scale, width, scale, 3).mean(axis=(1, 3))).astype("uint8")


def jpeg(image: np.ndarray, scale: int) -> np.ndarray:
    """As the papers make them, and then compressed lightly."""
    file = io.BytesIO()
    Image.fromarray(smaller(image, scale)).save(file, "JPEG", quality=JPEG_QUALITY)
    return np.asarray(Image.open(file))


REDUCTIONS = {
    "anti-aliased": smaller,
    "not anti-aliased": without_antialiasing,
    "mean": mean_of_squares,
    "JPEG": jpeg,
}
