"""Images to train on: found, and their sizes read before training starts."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from zoo.datasets import folders, hugging_face
from zoo.errors import InputError
from zoo.imaging.files import opened_image, starts_with
from zoo.imaging.forms import several
from zoo.imaging.planes import Planes
from zoo.training.trainer import is_folder

JPEG = b"\xff\xd8\xff"
TURNED = (5, 6, 7, 8)  # EXIF orientations that swap height and width


def sources(data: Any, split: str) -> list[Any]:
    """The images of a folder, by name, of a split of `datasets`, or of a list.

    Raises:
        InputError: There is none.
    """
    if hugging_face.is_split(data):
        return list(hugging_face.images(data))
    if not is_folder(data):
        return list(several(data, lambda shape: len(shape) == 4))
    root = folders.split_folder(data, split)
    if not root.is_dir():
        if not Path(data).is_dir() or folders.splits(data):
            raise folders.no_folder(root, "Expected FOLDER/{train,val}/NAME.png or FOLDER/NAME.png.")
        root = Path(data)
    found = folders.image_files(root)
    if not found:
        raise InputError(f"{root} contains no image. Expected FOLDER/{{train,val}}/NAME.png or FOLDER/NAME.png.")
    return found


def size(image: Any, channels: int = 3) -> tuple[int, int]:
    """Height and width of an image for a model of `channels`, after its whole file was read.

    Raises:
        UnreadableError, InputError: As `zoo.imaging.planes`.
    """
    path = os.fsdecode(image) if isinstance(image, str | os.PathLike) else None
    if path is None or channels not in (1, 3) or not starts_with(path, JPEG):
        width, height = Planes(image, channels).size
        return height, width
    with opened_image(path) as opened:
        width, height = opened.size
        turned = opened.getexif().get(0x0112) in TURNED
        opened.draft("RGB", (64, 64))  # a JPEG is read to its end, but decoded small
        opened.load()
    return (width, height) if turned else (height, width)


def smallest(sizes: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The least height and the least width."""
    heights, widths = zip(*sizes, strict=True)
    return min(heights), min(widths)
