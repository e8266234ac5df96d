"""Images as cameras, dark rooms and compression spoil them: a fixed list, to measure how robust a model is.

Hendrycks and Dietterich, 2019, https://arxiv.org/abs/1903.12261, section 3; the strengths are those of its third
severity of five (ImageNet-C), made for images of 224 pixels. Numbers below are shares of the range of a pixel.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from zoo.errors import InputError

NOISE = 0.18  # standard deviation
PHOTONS = 12  # per pixel of the largest value
FLIPPED = 0.09  # of all values, half of them to black
BLUR_PIXELS = 3  # standard deviation
RESOLUTION = 0.4  # of the sides
JPEG_QUALITY = 15  # of 95
BRIGHTER = 0.3
CONTRAST = 0.2  # of what it was


def _gaussian_noise(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return x + generator.normal(0, NOISE, x.shape)


def _shot_noise(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return generator.poisson(x * PHOTONS) / PHOTONS


def _impulse_noise(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    chance = generator.random(x.shape)
    return np.where(chance < FLIPPED / 2, 0.0, np.where(chance < FLIPPED, 1.0, x))


def _gaussian_blur(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return _array(_image(x).filter(ImageFilter.GaussianBlur(BLUR_PIXELS)), x)


def _pixelate(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    image = _image(x)
    small = (max(1, int(image.width * RESOLUTION)), max(1, int(image.height * RESOLUTION)))
    return _array(image.resize(small, Image.Resampling.BOX).resize(image.size, Image.Resampling.BOX), x)


def _jpeg(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    file = io.BytesIO()
    _image(x).save(file, "JPEG", quality=JPEG_QUALITY)
    return _array(Image.open(file), x)


def _brightness(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The value of HSV rises; hue and saturation stay, so that the channels keep their ratios."""
    value = x.max(axis=-1, keepdims=True)
    brighter = np.minimum(value + BRIGHTER, 1)
    return np.where(value > 0, x * brighter / np.maximum(value, 1e-9), brighter)


def _contrast(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    mean = x.mean(axis=(0, 1), keepdims=True)
    return (x - mean) * CONTRAST + mean


CORRUPTIONS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "gaussian_noise": _gaussian_noise,
    "shot_noise": _shot_noise,
    "impulse_noise": _impulse_noise,
    "gaussian_blur": _gaussian_blur,
    "pixelate": _pixelate,
    "jpeg": _jpeg,
    "brightness": _brightness,
    "contrast": _contrast,
}


def corrupted(pixels: np.ndarray, name: str, place: int) -> np.ndarray:
    """One image, spoiled; the same for the same place in the data.

    Args:
        pixels: `(height, width, 1)` or `(height, width, 3)`, 0 to 255.
        name: A key of `CORRUPTIONS`.
        place: Of the image in its data: the seed of the noise.

    Returns:
        float32 of the same shape, whole numbers from 0 to 255.

    Raises:
        InputError: The image has other channels.

    Example:
        >>> import numpy as np
        >>> from zoo.imaging.corruptions import corrupted
        >>> corrupted(np.full((2, 2, 3), 51.0), "brightness", 0)[0, 0].tolist()
        [128.0, 128.0, 128.0]
    """
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3):
        raise InputError(f"An image has the shape {pixels.shape}. Expected one or three channels to corrupt it.")
    generator = np.random.default_rng([list(CORRUPTIONS).index(name), place])
    found = CORRUPTIONS[name](np.clip(np.asarray(pixels, np.float64) / 255, 0, 1), generator)
    return np.round(np.clip(found, 0, 1) * 255).astype(np.float32)


def _image(x: np.ndarray) -> Image.Image:
    pixels = np.round(x * 255).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _array(image: Image.Image, like: np.ndarray) -> np.ndarray:
    return np.asarray(image, np.float64).reshape(like.shape) / 255
