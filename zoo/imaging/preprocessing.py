"""From an image in any form to the model's pixels: `uint8`, `(height, width, channels)`, values 0 to 255."""

import math
from typing import Any

import numpy as np
from PIL import Image

from zoo.catalogue.entry import Input
from zoo.imaging.planes import Planes

RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def preprocess(image: Any, spec: Input) -> np.ndarray:
    """Resize and crop as the checkpoint was evaluated: short side to `size / crop`, then the centre (timm's rule).

    Only the box that the crop keeps is resized, so an image of extreme shape takes no more memory than another.

    Args:
        image: A path; the bytes of a file, or an open one; a Pillow image of any mode; or an array or tensor `(height,
            width)` or `(height, width, channels)`, uint8, uint16 (scaled to 8 bits), bool, or other numbers from 0 to
            255. Files may be `.npy` too. Channels are 1, 3 or 4 (transparency, laid over white), or, where the model
            takes neither 1 nor 3, as many as it takes, each as it is.
        spec: What the checkpoint says. Without a `size` the image keeps its own.

    Returns:
        uint8 `(height, width, channels)`: RGB, grey where the model takes one channel, or the bands of the image.

    Raises:
        UnreadableError: The file is damaged, too large, or not an image.
        InputError: There is no such file, or the array has another shape, or numbers outside.

    Example:
        >>> import numpy as np
        >>> from zoo.imaging.preprocessing import preprocess
        >>> from zoo.catalogue.entry import Input
        >>> preprocess(np.zeros((40, 60, 3), "uint8"), Input(size=32, crop=0.8)).shape
        (32, 32, 3)
    """
    planes = Planes(image, len(spec.mean))
    if (kept := spec.size) is not None:
        size = _new_size(planes.size, math.floor(kept / spec.crop), spec.crop_mode)
        planes.map(lambda plane: _resized_centre(plane, size, kept, RESAMPLING[spec.interpolation]))
    return planes.pixels()


def _new_size(size: tuple[int, int], target: int, mode: str) -> tuple[int, int]:
    """Width and height of the whole image after it is resized."""
    width, height = size
    if mode == "squash":
        return target, target
    if mode == "border":
        ratio = max(width, height) / target
        return max(1, round(width / ratio)), max(1, round(height / ratio))
    short, long = sorted((width, height))
    new = (target, target * long // short)
    return new if width <= height else new[::-1]


def _resized_centre(image: Image.Image, size: tuple[int, int], kept: int, resampling: Image.Resampling) -> Image.Image:
    """The middle `kept` x `kept` pixels of the image resized to `size`; what is smaller stands on black."""
    starts = [max(0, round((length - kept) / 2)) for length in size]
    lengths = [min(length, kept) for length in size]
    scales = [old / new for old, new in zip(image.size, size, strict=True)]
    left, top = (start * scale for start, scale in zip(starts, scales, strict=True))
    right, bottom = (
        min(old, (start + length) * scale)
        for old, start, length, scale in zip(image.size, starts, lengths, scales, strict=True)
    )
    middle = image.resize((lengths[0], lengths[1]), resampling, (left, top, right, bottom))
    if lengths == [kept, kept]:
        return middle
    canvas = Image.new(image.mode, (kept, kept))
    canvas.paste(middle, ((kept - lengths[0]) // 2, (kept - lengths[1]) // 2))
    return canvas
