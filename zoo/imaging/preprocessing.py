"""From an image in any form to the model's pixels: `uint8`, `(height, width, channels)`, values 0 to 255."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from zoo.catalogue.entry import Input
from zoo.imaging.planes import Planes

WHOLE = ("letterbox", "shortest")  # the modes that keep all of an image, for detectors
GREY = 114  # around a letter-boxed image, as in YOLO
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
    return resized(Planes(image, len(spec.mean)), spec)


class Resized(np.ndarray):
    """What the model takes of an image, uint8 `(height, width, channels)`, and `whole`, the image that it is of."""

    whole: Image.Image


def preprocess_whole(image: Any, spec: Input) -> Resized:
    """`preprocess`, for models whose outputs lie in the whole image: it is at hand, upright, as RGB, in `whole`."""
    planes = Planes(image, len(spec.mean))
    whole = planes.images[0].convert("RGB")
    pixels = resized(planes, spec).view(Resized)
    pixels.whole = whole
    return pixels


def resized(planes: Planes, spec: Input) -> np.ndarray:
    """The pixels of an image as `spec` has them."""
    if (kept := spec.size) is not None:
        resampling = RESAMPLING[spec.interpolation]
        if spec.crop_mode in WHOLE or not spec.antialias:
            size = whole_size(planes.size, spec)
            planes.map(lambda plane: _of_size(plane, size, resampling, spec.antialias))
            if spec.crop_mode == "letterbox":
                lay_on_square(planes, kept, (0, 0), spec)
        else:
            size = _new_size(planes.size, math.floor(kept / spec.crop), spec.crop_mode)
            planes.map(lambda plane: _resized_centre(plane, size, kept, resampling))
    pixels = planes.pixels()
    return np.ascontiguousarray(pixels[..., ::-1]) if spec.channels == "bgr" else pixels


def whole_size(size: tuple[int, int], spec: Input) -> tuple[int, int]:
    """Width and height of a whole image, `size`, as a detector sees it: what is right of it or below is not it."""
    width, height = size
    if spec.size is None:
        return size
    if spec.crop_mode not in WHOLE:  # squashed
        return spec.size, spec.size
    if spec.crop_mode == "letterbox":
        scale = min(spec.size / width, spec.size / height)
    else:
        scale = min(spec.size / min(size), (spec.longest or math.inf) / max(size))
    return max(1, int(width * scale)), max(1, int(height * scale))


def _of_size(image: Image.Image, size: tuple[int, int], resampling: Image.Resampling, antialias: bool) -> Image.Image:
    if antialias:
        return image.resize(size, resampling)
    # Each new pixel is interpolated between the nearest four (or sixteen) old ones, however much smaller it becomes.
    scales = [old / new for old, new in zip(image.size, size, strict=True)]
    return image.transform(size, Image.Transform.AFFINE, (scales[0], 0, 0, 0, scales[1], 0), resampling)


def fill_levels(spec: Input) -> tuple[int, ...]:
    """The colour around a letter-boxed image, 0 to 255: RGB, or a level per band where a model takes others."""
    levels = tuple(GREY if spec.fill == "grey" else round(255 * mean) for mean in spec.mean)
    if len(levels) == 1:
        return levels * 3
    return levels[::-1] if spec.channels == "bgr" else levels


def lay_on_square(planes: Planes, side: int, place: Sequence[int], spec: Input) -> None:
    """Lay an image on a square of the colour that `spec` says, `place` pixels from the left and from above."""
    levels = fill_levels(spec)
    colours: Sequence[Any] = [levels] if len(planes.images) == 1 else levels
    canvases = []
    for plane, colour in zip(planes.images, colours, strict=True):
        canvas = Image.new(plane.mode, (side, side), colour)
        canvas.paste(plane, (int(place[0]), int(place[1])))
        canvases.append(canvas)
    planes.images = canvases


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
