"""A folder of class folders: the data of image classification.

    FOLDER/CLASS/NAME.jpg              all pictures together
    FOLDER/SPLIT/CLASS/NAME.jpg        apart, in `train`, `val` and `test`

The classes are the folders in alphabetical order. Imports neither Keras nor TensorFlow.
"""

import os
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from zoo.errors import InputError

SPLITS = ("train", "val", "test")
LAYOUT = "Expected FOLDER/CLASS/NAME.jpg, or FOLDER/{train,val,test}/CLASS/NAME.jpg."


class Labelled(NamedTuple):
    """Where a picture lies, and the number of its class."""

    picture: Path
    label: int


def find_pictures(folder: str | os.PathLike, split: str | None = None) -> tuple[tuple[str, ...], list[Labelled]]:
    """The classes, by name, and the pictures of a split with their classes.

    Args:
        folder: The data set, in one of the layouts above.
        split: `"train"`, `"val"` or `"test"` where the folder has them; None for a folder that holds the classes.

    Raises:
        InputError: There is no such folder, no class in it, or a class without a picture.
    """
    root = Path(folder) if split is None else Path(folder) / split
    if not root.is_dir():
        raise InputError(f"There is no folder {root}. {LAYOUT}")
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not folders:
        raise InputError(f"{root} holds no folder of a class. {LAYOUT}")
    suffixes = set(Image.registered_extensions())
    pictures = []
    for label, path in enumerate(folders):
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in suffixes)
        if not found:
            raise InputError(f"The class {path} holds no picture. Expected at least one, or remove the folder.")
        pictures += [Labelled(file, label) for file in found]
    return tuple(path.name for path in folders), pictures


def has_splits(folder: str | os.PathLike) -> bool:
    """Whether the folder holds splits, and not the classes themselves."""
    return any((Path(folder) / split).is_dir() for split in SPLITS)
