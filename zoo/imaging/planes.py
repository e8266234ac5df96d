"""An image as Pillow images of one size: one of RGB, or one per band where a model takes other channels."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from zoo.errors import InputError, UnreadableError
from zoo.imaging.files import TIFF, Content, opened_image, read_npy, read_tiff, readable, starts_with
from zoo.imaging.forms import plain
from zoo.imaging.levels import eight_bits
from zoo.imaging.npy import NPY

TURNS = {  # by EXIF orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Modes whose numbers are levels of grey beyond 8 bits; Pillow's own conversion clips them at 255.
DEEP = ("F", "I", "I;16", "I;16B", "I;16L", "I;16N")

LAZY = Content(b"", "The image")  # one whose file Pillow has opened and not yet read


class Planes:
    """An image for a model of `channels`: what is resized is 8 bits, upright, and all of one size.

    Args:
        source: As `zoo.imaging.forms.plain` takes it; of a mapping its `image`.
        channels: 3 for RGB; 1 for grey, which is made of RGB at the end; any other number for as many bands.

    Raises:
        InputError: It is not an image, or has other channels.
        UnreadableError: A file is damaged.
    """

    def __init__(self, source: Any, channels: int = 3):
        self.is_grey = channels == 1
        self.images = [read_image(source)] if channels in (1, 3) else _bands(source, channels)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.images[0].size

    def map(self, function: Callable[[Image.Image], Image.Image]) -> "Planes":
        """The same of each plane."""
        self.images = [function(image) for image in self.images]
        return self

    def pixels(self) -> np.ndarray:
        """uint8 `(height, width, channels)`."""
        if self.is_grey:
            return np.asarray(self.images[0].convert("L"))[..., None]
        return (
            np.asarray(self.images[0])
            if len(self.images) == 1
            else np.stack([np.asarray(image) for image in self.images], axis=-1)
        )


def read_image(source: Any, mode: str = "RGB") -> Image.Image:
    """Read an image as 8-bit RGB: EXIF orientation applied, deep levels scaled, transparency laid over white.

    Args:
        source: As `zoo.imaging.forms.plain` takes it, `.npy` files of arrays too.
        mode: `"RGBA"` keeps transparency.

    Raises:
        InputError: It is not an image, or its numbers lie outside.
        UnreadableError: A file is damaged.
    """
    source = _image_of(plain(source))
    if isinstance(source, Image.Image):
        with readable(LAZY):
            return _converted(upright(source), mode)
    if isinstance(source, np.ndarray):
        return _of_array(source, mode)
    if starts_with(source, NPY):
        return _of_array(read_npy(source), mode)
    try:
        with opened_image(source) as image:
            image.load()
            return _converted(upright(image), mode)
    except UnreadableError:
        if not starts_with(source, *TIFF):
            raise
        array, orientation = read_tiff(source)  # Pillow knows few combinations of bands and bits
        return turned(_of_array(array, mode), orientation)


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Upright, from an EXIF orientation."""
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def _image_of(source: Any) -> Any:
    if isinstance(source, Mapping):
        if "image" not in source or "mask" in source:
            raise InputError(f"An input is a mapping with the keys {sorted(map(str, source))}. Expected an image.")
        return _image_of(plain(source["image"]))
    return source


def upright(image: Image.Image) -> Image.Image:
    """The image with its EXIF orientation applied. Where its file is not read yet, raises what Pillow raises."""
    image.load()
    return turned(image, image.getexif().get(0x0112, 1))


def _converted(image: Image.Image, mode: str) -> Image.Image:
    if image.mode in DEEP:
        image = Image.fromarray(eight_bits(np.asarray(image)))
    if image.mode == "La":  # multiplied by its opacity
        image = image.convert("LA")
    if image.has_transparency_data or mode == "RGBA":
        image = image.convert("RGBA")
    if mode == "RGB" and image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == mode else image.convert(mode)


def _of_array(array: np.ndarray, mode: str = "RGB") -> Image.Image:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[-1] not in (1, 3, 4)) or 0 in array.shape:
        raise InputError(
            f"An image array has the shape {array.shape}. Expected (height, width) or (height, width, 1, 3 or 4), "
            "channels last; move the channel axis with numpy.moveaxis(array, 0, -1)."
        )
    levels = eight_bits(array)
    return _converted(Image.fromarray(levels[..., 0] if levels.ndim == 3 and levels.shape[-1] == 1 else levels), mode)


def _bands(source: Any, channels: int) -> list[Image.Image]:
    """The bands as they are: no colours, and no transparency."""
    source, orientation = _image_of(plain(source)), 1
    if isinstance(source, str | Content):
        if starts_with(source, NPY):
            source = read_npy(source)
        elif starts_with(source, *TIFF):
            source, orientation = read_tiff(source)
        else:
            with opened_image(source) as image:
                image.load()
                source = upright(image)
    elif isinstance(source, Image.Image):
        with readable(LAZY):
            source = upright(source)
    array = np.asarray(source)
    if array.ndim != 3 or array.shape[-1] != channels or 0 in array.shape:
        raise InputError(
            f"An image has the shape {array.shape}. Expected (height, width, {channels}), channels last: the model "
            f"takes {channels}."
        )
    levels = eight_bits(array)
    return [turned(Image.fromarray(levels[..., index]), orientation) for index in range(channels)]
