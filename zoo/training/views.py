"""Views of an example: cropped and mirrored, the image and its targets together, so that they stay one thing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from zoo.catalogue.entry import Input
from zoo.imaging.planes import Planes
from zoo.imaging.preprocessing import RESAMPLING

SMALLEST_SHARE = 0.5  # of an image's area that a random view shows
WIDEST = 4 / 3  # how much a random view's aspect ratio differs from the image's, at most
LARGEST_SCALE = 2.0  # of a scaled view; the smallest is that at which it is as large as the image, or half
JITTER = 0.3  # how much brightness, contrast and saturation change, at most, as a fraction of their own


def same_view(
    arrays: Sequence[np.ndarray], size: Sequence[int] | None, generator: np.random.Generator | None
) -> list[np.ndarray]:
    """The same view of an image and of what is known of its pixels.

    Args:
        arrays: Images, masks, maps: `(height, width, ...)`, all of one height and width.
        size: Height and width of the view in pixels, further numbers do not count; None for all of it.
        generator: Draws where the view lies, and mirrors half of all views; None for the middle, unmirrored.

    Returns:
        The arrays `(size[0], size[1], ...)`; smaller where they were smaller.

    Raises:
        ValueError: The arrays differ in height or width.

    Example:
        >>> import numpy as np
        >>> from zoo.training.views import same_view
        >>> image = np.arange(12).reshape(3, 4)
        >>> view, target = same_view([image, -image], (2, 2), np.random.default_rng(0))
        >>> np.array_equal(view, -target)
        True
    """
    sizes = {array.shape[:2] for array in arrays}
    if len(sizes) != 1:
        raise ValueError(f"Arrays of a view have the sizes {sorted(sizes)}. Expected one height and width of all.")
    height, width = size[:2] if size is not None else arrays[0].shape[:2]
    top, left = _corner(arrays[0].shape[:2], (height, width), generator)
    step = -1 if generator is not None and generator.integers(2) else 1
    return [array[top : top + height, left : left + width][:, ::step] for array in arrays]


def scaled_view(arrays: Sequence[np.ndarray], size: Sequence[int], generator: np.random.Generator) -> list[np.ndarray]:
    """The same random view of an image and its mask, reduced or enlarged.

    The scale is from half, or that at which the view is as large as the image, to twice; the aspect ratio differs from
    the image's at most by 4:3. An image is interpolated, a mask is not.

    Args:
        arrays: An image `(height, width, channels)`, uint8, and masks `(height, width)`, int32, all of one size.
        size: Height and width of the view in pixels, at most those of the arrays.
        generator: Draws the scale, the aspect ratio, where the view lies, and whether it is mirrored.

    Returns:
        The arrays `(size[0], size[1], ...)`.

    Example:
        >>> import numpy as np
        >>> from zoo.training.views import scaled_view
        >>> image, mask = np.zeros((40, 60, 3), "uint8"), np.zeros((40, 60), "int32")
        >>> [array.shape for array in scaled_view([image, mask], (32, 32), np.random.default_rng(0))]
        [(32, 32, 3), (32, 32)]
    """
    height, width = arrays[0].shape[:2]
    smallest = max(size[0] / height, size[1] / width, 1 / LARGEST_SCALE)
    scale = float(np.exp(generator.uniform(np.log(smallest), np.log(LARGEST_SCALE))))
    stretch = float(np.exp(generator.uniform(-np.log(WIDEST), np.log(WIDEST)) / 2))
    tall, wide = round(size[0] / scale * stretch), round(size[1] / scale / stretch)
    tall, wide = max(1, min(height, tall)), max(1, min(width, wide))
    top, left = int(generator.integers(height - tall + 1)), int(generator.integers(width - wide + 1))
    step = -1 if generator.integers(2) else 1
    views = [array[top : top + tall, left : left + wide] for array in arrays]
    return [_resized(view, size)[:, ::step] for view in views]


def _resized(array: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """An image `(h, w, c)` interpolated, a mask `(h, w)` by its nearest pixels."""
    if array.ndim == 2:
        return np.asarray(Image.fromarray(array).resize((size[1], size[0]), Image.Resampling.NEAREST))
    channels = np.moveaxis(array, -1, 0)
    planes = [Image.fromarray(plane).resize((size[1], size[0]), Image.Resampling.BILINEAR) for plane in channels]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


def recoloured(pixels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """An image in another light: brightness, contrast and saturation changed at random, each by up to 30 %.

    Args:
        pixels: `(height, width, channels)` in [0, 255]; saturation is of images of three channels.
        generator: Draws the changes.

    Returns:
        uint8 `(height, width, channels)`.
    """
    brightness, contrast, saturation = generator.uniform(1 - JITTER, 1 + JITTER, 3)
    x = pixels.astype(np.float32) * np.float32(brightness)
    x = (x - x.mean()) * np.float32(contrast) + x.mean()
    if x.shape[-1] == 3:
        grey = x.mean(axis=-1, keepdims=True)
        x = grey + (x - grey) * np.float32(saturation)
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


def random_view(source: Any, spec: Input, height: int, width: int, generator: np.random.Generator) -> np.ndarray:
    """A random part of an image, resized and by chance mirrored.

    The part has at least half of the image's area, and its aspect ratio differs from the image's at most by 4:3,
    rounded to pixels; the target, a class, is the same for each part.

    Returns:
        uint8 `(height, width, channels)`, as many as the model takes.
    """
    planes = Planes(source, len(spec.mean))
    box = random_box(*planes.size[::-1], generator)
    pixels = planes.map(lambda plane: plane.resize((width, height), RESAMPLING[spec.interpolation], box)).pixels()
    return pixels[:, ::-1] if generator.integers(2) else pixels


def random_box(height: int, width: int, generator: np.random.Generator) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a random part, at least half of the area before they are rounded to pixels."""
    share = float(generator.uniform(SMALLEST_SHARE, 1))
    stretch = float(np.exp(generator.uniform(-np.log(WIDEST), np.log(WIDEST)) / 2))
    tall, wide = round(height * share**0.5 * stretch), round(width * share**0.5 / stretch)
    tall, wide = max(1, min(height, tall)), max(1, min(width, wide))
    top, left = int(generator.integers(height - tall + 1)), int(generator.integers(width - wide + 1))
    return left, top, left + wide, top + tall


def _corner(size: tuple[int, ...], view: tuple[int, ...], generator: np.random.Generator | None) -> tuple[int, int]:
    """Top and left of a view: anywhere, or, without a generator, in the middle."""
    rest = [max(0, have - want) for have, want in zip(size, view, strict=True)]
    if generator is None:
        return rest[0] // 2, rest[1] // 2
    return int(generator.integers(rest[0] + 1)), int(generator.integers(rest[1] + 1))
