"""Pictures to learn from: checked before the training, cropped and mirrored during it."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

from zoo.datasets import hugging_face
from zoo.errors import InputError
from zoo.preprocessing import RESAMPLING, UNREADABLE, read_picture
from zoo.registry import Input
from zoo.training.lesson import is_folder, split_folder

TURNED = (5, 6, 7, 8)  # EXIF orientations that swap height and width
SMALLEST_SHARE = 0.5  # of a picture's area that a random view shows


def sources(data: Any, split: str) -> list[Any]:
    """The pictures of a folder, by name, of a split of `datasets`, or of a list.

    Raises:
        InputError: There is none.
    """
    if hugging_face.is_split(data):
        return list(hugging_face.pictures(data))
    if not is_folder(data):
        return list(data)
    root, suffixes = split_folder(data, split), set(Image.registered_extensions())
    found = sorted(path for path in root.iterdir() if path.suffix.lower() in suffixes)
    if not found:
        raise InputError(f"{root} holds no picture. Expected FOLDER/{{train,val}}/NAME.png or FOLDER/NAME.png.")
    return found


def size(picture: Any) -> tuple[int, int]:
    """Height and width of a picture, after its whole file was read.

    Raises:
        UnreadableError, InputError: As `read_picture`.
    """
    if not isinstance(picture, str | os.PathLike):
        return _whole_size(picture)
    try:
        with Image.open(picture) as opened:
            width, height = opened.size
            turned = opened.getexif().get(0x0112) in TURNED
            opened.draft("RGB", (64, 64))  # a JPEG is read to its end, but decoded small
            opened.load()
        return (width, height) if turned else (height, width)
    except UNREADABLE:
        return _whole_size(picture)  # says in a sentence what is wrong


def _whole_size(picture: Any) -> tuple[int, int]:
    width, height = read_picture(picture).size
    return height, width


def smallest(sizes: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The least height and the least width."""
    heights, widths = zip(*sizes, strict=True)
    return min(heights), min(widths)


def random_view(source: Any, spec: Input, height: int, width: int, generator: np.random.Generator) -> np.ndarray:
    """A random part of a picture, at least half of it, resized and by chance mirrored.

    Returns:
        uint8 `(height, width, 3)`; `(height, width, 1)` in grey where the model takes one channel.
    """
    picture = read_picture(source)
    share = float(generator.uniform(SMALLEST_SHARE, 1))
    stretch = float(np.exp(generator.uniform(np.log(3 / 4), np.log(4 / 3)) / 2))
    crop_height = max(1, min(picture.height, round(picture.height * share**0.5 * stretch)))
    crop_width = max(1, min(picture.width, round(picture.width * share**0.5 / stretch)))
    top = int(generator.integers(picture.height - crop_height + 1))
    left = int(generator.integers(picture.width - crop_width + 1))
    box = (left, top, left + crop_width, top + crop_height)
    view = picture.resize((width, height), RESAMPLING[spec.interpolation], box)
    pixels = np.asarray(view.convert("L"))[..., None] if len(spec.mean) == 1 else np.asarray(view)
    return pixels[:, ::-1] if generator.integers(2) else pixels
