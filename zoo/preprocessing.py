"""From a file, a PIL image or an array to the model's pixels: `uint8`, RGB, `(height, width, 3)`, values 0 to 255.

From a volume to float32 `(depth, height, width, 1)`; from (x, y) to float32 `(2,)`.
"""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from zoo.errors import InputError
from zoo.registry import Input

RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def preprocess(image: str | os.PathLike | Image.Image | np.ndarray, spec: Input) -> np.ndarray:
    """Resize and crop as the checkpoint was evaluated: short side to `size / crop`, then the centre (timm's rule).

    Args:
        image: A path, a PIL image, or an array `(height, width)` or `(height, width, 1, 3 or 4)`: uint8, uint16 (scaled
            to 8 bits) or float with values 0 to 255.
        spec: What the checkpoint says. Without a `size` the picture keeps its own.

    Returns:
        uint8 `(height, width, 3)`.

    Raises:
        InputError: The image cannot be read or its array has another shape or dtype.
    """
    picture = read_picture(image)
    if spec.size is not None:
        target = math.floor(spec.size / spec.crop)
        picture = _resize(picture, target, RESAMPLING[spec.interpolation], spec.crop_mode)
        picture = _center_crop_or_pad(picture, spec.size)
    return np.asarray(picture)


def preprocess_volume(volume: Any) -> np.ndarray:
    """Give a volume's voxels zero mean and unit variance, as MedicalNet was trained (its `datasets/brains18.py`).

    Voxels of exactly 0 are background: they are not counted, and become 0, the mean. (In training they were noise
    around it.) The size is kept.

    Args:
        volume: An array `(depth, height, width)` of any numbers, or the path of an `.npy` file that holds one.

    Returns:
        float32 `(depth, height, width, 1)`.

    Raises:
        InputError: The file cannot be read, or the array has another shape, NaN, infinity, or one value only.
    """
    array = _array(volume, "volume")
    if array.ndim != 3 or array.shape[-1] == 1 or 0 in array.shape or array.dtype.kind not in "biuf":
        raise InputError(
            f"A volume has the shape {array.shape} and the dtype {array.dtype}. Expected numbers in "
            "(depth, height, width), without an axis of channels."
        )
    array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise InputError("A volume holds NaN or infinity. Expected finite numbers; see numpy.nan_to_num.")
    voxels = array[array != 0]
    deviation = voxels.std(dtype=np.float64) if voxels.size else 0.0
    if deviation == 0:
        raise InputError("A volume has no two values beside 0. Expected one with something in it.")
    normalized = np.where(array == 0, 0, (array - voxels.mean(dtype=np.float64)) / deviation)
    return normalized[..., None].astype(np.float32)


def preprocess_coordinates(place: Any, canvas: tuple[int, int]) -> np.ndarray:
    """Check that (x, y), column and row, is a pixel of a canvas.

    Args:
        place: Two numbers, or a text of two such as `"40,12"`.
        canvas: Height and width of the canvas in pixels.

    Returns:
        float32 `(2,)`.

    Raises:
        InputError: There are not two numbers, or they lie outside.
    """
    height, width = canvas
    try:
        x, y = map(float, os.fspath(place).split(",") if isinstance(place, str | os.PathLike) else place)
    except (TypeError, ValueError):
        x = y = math.nan
    if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
        raise InputError(
            f"{str(place)!r} is no pixel of the canvas. Expected (x, y), such as (40, 12) or '40,12', "
            f"x from 0 to {width - 1} and y from 0 to {height - 1}."
        )
    return np.array([x, y], "float32")


def preprocess_series(series: Any, shortest: int) -> np.ndarray:
    """Check that a series is one of numbers and long enough; its unit is left as it is.

    Args:
        series: An array `(time,)`, oldest first, or the path of an `.npy` file that holds one.
        shortest: How many values there have to be.

    Returns:
        float32 `(time, 1)`.

    Raises:
        InputError: The file cannot be read, or the array has another shape, NaN, infinity, or too few values.
    """
    array = _array(series, "series")
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise InputError(
            f"A series has the shape {array.shape} and the dtype {array.dtype}. Expected numbers in (time,); "
            "pass several series as a list."
        )
    if not np.isfinite(array).all():
        raise InputError("A series holds NaN or infinity. Expected finite numbers; fill its gaps by numpy.interp.")
    if array.size < shortest:
        raise InputError(f"A series has {array.size} values. Expected at least {shortest}: a season and one more.")
    return array[:, None].astype(np.float32)


def _array(source: Any, what: str) -> np.ndarray:
    """The array itself, or the one in an `.npy` file."""
    if not isinstance(source, str | os.PathLike):
        return np.asarray(source)
    try:
        return np.load(source, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        # NumPy's own words for another kind of file advise to unpickle it.
        reason = (
            error.strerror if isinstance(error, OSError) and error.strerror else "it holds no whole array of numbers"
        )
        raise InputError(
            f"{os.fspath(source)} cannot be read as a {what} ({reason}). Expected an .npy file from numpy.save."
        ) from error


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
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            reason = "not an image that Pillow knows" if isinstance(error, UnidentifiedImageError) else error
            raise InputError(
                f"{path} cannot be read as an image ({reason}). Expected a whole JPEG, PNG, WebP or the like; "
                "open it in a viewer to see whether it is damaged."
            ) from error
    return _from_array(np.asarray(image))


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
