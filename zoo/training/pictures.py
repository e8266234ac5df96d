"""Pictures to learn from: checked before the training, cropped and mirrored during it."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.errors import InputError
from zoo.preprocessing import RESAMPLING, read_picture
from zoo.registry import Input

NAMED = 3  # files in a message
TURNED = (5, 6, 7, 8)  # EXIF orientations that swap height and width
SMALLEST_SHARE = 0.5  # of a picture's area that a random view shows


def picture_files(root: Path) -> list[Path]:
    """The pictures that lie in a folder, by name.

    Raises:
        InputError: There is none.
    """
    suffixes = set(Image.registered_extensions())
    found = sorted(path for path in root.iterdir() if path.suffix.lower() in suffixes)
    if not found:
        raise InputError(f"{root} holds no picture. Expected FOLDER/{{train,val}}/NAME.png or FOLDER/NAME.png.")
    return found


def sizes(pictures: Sequence[Any]) -> list[tuple[int, int]]:
    """Height and width of each picture, after its whole file was read.

    Raises:
        InputError: Some cannot be read; names the first of them.
    """
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(_size, pictures))
    broken = [result for result in results if isinstance(result, InputError)]
    if broken:
        more = "" if len(broken) <= NAMED else f"\n... and {len(broken) - NAMED} more."
        raise InputError("\n".join(map(str, broken[:NAMED])) + more)
    return [result for result in results if not isinstance(result, InputError)]


def _size(picture: Any) -> tuple[int, int] | InputError:
    try:
        if not isinstance(picture, str | os.PathLike):
            width, height = read_picture(picture).size
            return height, width
        with Image.open(picture) as opened:
            width, height = opened.size
            turned = opened.getexif().get(0x0112) in TURNED
            opened.draft("RGB", (64, 64))  # a JPEG is read to its end, but decoded small
            opened.load()
        return (width, height) if turned else (height, width)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        try:
            width, height = read_picture(picture).size  # says in a sentence what is wrong
            return height, width
        except InputError as error:
            return error
    except InputError as error:
        return error


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
