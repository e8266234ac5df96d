"""Pictures to learn from: found, and measured before the training."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from zoo.datasets import folders, hugging_face
from zoo.errors import InputError
from zoo.preprocessing import UNREADABLE, read_picture
from zoo.training.lesson import is_folder

TURNED = (5, 6, 7, 8)  # EXIF orientations that swap height and width


def sources(data: Any, split: str) -> list[Any]:
    """The pictures of a folder, by name, of a split of `datasets`, or of a list.

    Raises:
        InputError: There is none.
    """
    if hugging_face.is_split(data):
        return list(hugging_face.pictures(data))
    if not is_folder(data):
        return list(data)
    root = folders.split_folder(data, split)
    if not root.is_dir():
        if folders.splits(data) or not Path(data).is_dir():
            raise folders.no_folder(root, "Expected FOLDER/{train,val}/NAME.png or FOLDER/NAME.png.")
        root = Path(data)
    found = folders.image_files(root)
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
