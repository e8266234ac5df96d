"""From a file, a PIL image or an array to the model's pixels: `uint8`, RGB, `(height, width, 3)`, values 0 to 255."""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from zoo.errors import InputError, UnreadableError
from zoo.registry import Input

# What Pillow raises on a file that is damaged, of another kind, or too large to be unpacked.
UNREADABLE = (UnidentifiedImageError, OSError, RuntimeError, SyntaxError, ValueError, Image.DecompressionBombError)
RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def preprocess(image: str | os.PathLike | Image.Image | np.ndarray, spec: Input) -> np.ndarray:
    """Resize and crop as the checkpoint was evaluated: short side to `size / crop`, then the centre (timm's rule).

    Args:
        image: A path, a PIL image, or an array `(height, width)` or `(height, width, 1, 3 or 4)`: uint8, uint16 (scaled
            to 8 bits) or float with values 0 to 255.
        spec: What the checkpoint says. Without a `size` the picture keeps its own.

    Returns:
        uint8 `(height, width, 3)`; `(height, width, 1)` in grey where the model takes one channel.

    Raises:
        UnreadableError: The file is damaged, or no image.
        InputError: There is no such file, or the array has another shape or dtype.
    """
    picture = read_picture(image)
    if spec.size is not None:
        target = math.floor(spec.size / spec.crop)
        picture = _resize(picture, target, RESAMPLING[spec.interpolation], spec.crop_mode)
        picture = _center_crop_or_pad(picture, spec.size)
    return np.asarray(picture.convert("L"))[..., None] if len(spec.mean) == 1 else np.asarray(picture)


def read_picture(image: str | os.PathLike | Image.Image | np.ndarray) -> Image.Image:
    """Read `image` as 8-bit RGB: EXIF orientation applied, 16 bits scaled to 8, transparency laid over white."""
    if isinstance(image, Image.Image):
        return _to_rgb(ImageOps.exif_transpose(image))
    if isinstance(image, str | os.PathLike):
        path = Path(image)
        try:
            with Image.open(path) as opened:
                return _to_rgb(ImageOps.exif_transpose(opened))
        except FileNotFoundError as error:
            raise InputError(f"There is no file {path}. Expected the path of an image.") from error
        except UNREADABLE as error:
            raise unreadable(path, error) from error
    return _from_array(np.asarray(image))


def unreadable(name: str | os.PathLike, error: Exception) -> UnreadableError:
    """The sentence for one of the errors in `UNREADABLE`."""
    reason = "not an image that Pillow knows" if isinstance(error, UnidentifiedImageError) else error
    return UnreadableError(
        f"{name} cannot be read as an image ({reason}). Expected a whole JPEG, PNG, WebP or the like; "
        "open it in a viewer to see whether it is damaged."
    )


def _from_array(array: np.ndarray) -> Image.Image:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[-1] not in (1, 3, 4)) or 0 in array.shape:
        raise InputError(
            f"An image array has the shape {array.shape}. Expected (height, width) or (height, width, 1, 3 or 4), "
            "channels last; move the channel axis with numpy.moveaxis(array, 0, -1)."
        )
    if array.dtype == np.uint16:
        array = np.round(array / 257).astype(np.uint8)
    elif np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all():
            raise InputError("An image array holds NaN or infinity. Expected values from 0 to 255.")
        if 0 < array.max() <= 1 and np.any(array % 1):
            raise InputError(
                f"An image array has values up to {array.max():.3g}. Expected 0 to 255; "
                "multiply an image in [0, 1] by 255."
            )
        array = np.clip(np.round(array), 0, 255).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise InputError(
            f"An image array has the dtype {array.dtype}. Expected uint8, uint16, or a float with values from 0 to 255."
        )
    return _to_rgb(Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array))


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in ("I;16", "I;16B", "I;16L", "I;16N", "I", "F"):
        # Pillow's own conversion clips at 255 instead of scaling.
        values: Any = np.asarray(picture, dtype=np.float64)
        scale = 1 if picture.mode == "F" else 257
        picture = Image.fromarray(np.clip(np.round(values / scale), 0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        over = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")
    return picture.convert("RGB")


def _resize(picture: Image.Image, target: int, resampling: Image.Resampling, mode: str) -> Image.Image:
    width, height = picture.size
    if mode == "squash":
        return picture.resize((target, target), resampling)
    if mode == "border":
        ratio = max(width, height) / target
        return picture.resize((max(1, round(width / ratio)), max(1, round(height / ratio))), resampling)
    short, long = sorted((width, height))
    size = (target, target * long // short)
    return picture.resize(size if width <= height else size[::-1], resampling)


def _center_crop_or_pad(picture: Image.Image, size: int) -> Image.Image:
    width, height = picture.size
    if width < size or height < size:
        canvas = Image.new("RGB", (max(width, size), max(height, size)))
        canvas.paste(picture, (max(0, (size - width) // 2), max(0, (size - height) // 2)))
        picture = canvas
        width, height = picture.size
    left, top = round((width - size) / 2), round((height - size) / 2)
    return picture.crop((left, top, left + size, top + size))
