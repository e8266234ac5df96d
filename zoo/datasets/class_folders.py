"""A folder of class folders: the data of image classification.

    FOLDER/CLASS/NAME.jpg              all images together
    FOLDER/SPLIT/CLASS/NAME.jpg        apart, in `train`, `val` and `test`, or what else people call them

The classes are the folders in alphabetical order; what lies deeper in one belongs to it. A folder that contains but one
folder of such folders, as archives unpack into, is passed through. `train` beside folders that are not splits is one.
Imports neither Keras nor TensorFlow.
"""

import os
from pathlib import Path
from typing import NamedTuple

from zoo.datasets import folders
from zoo.errors import InputError

LAYOUT = "Expected FOLDER/CLASS/NAME.jpg, or FOLDER/{train,val,test}/CLASS/NAME.jpg."


class Labelled(NamedTuple):
    """Where an image lies, and the number of its class."""

    image: Path
    label: int


def find_images(folder: str | os.PathLike, split: str | None = None) -> tuple[tuple[str, ...], list[Labelled]]:
    """The classes, by name, and the images of a split with their classes.

    Args:
        folder: The data set, in one of the layouts above.
        split: Which part, `"train"`, `"val"` or `"test"`, where the folder has parts.

    Raises:
        InputError: There is no such folder, no class in it, a class without an image, or folders that may be classes
            as well as splits.
    """
    root = Path(folder)
    if not root.is_dir():
        raise folders.no_folder(root, LAYOUT)
    root = _passed_through(root)
    if split is not None and has_splits(root):
        part = folders.split_folder(root, split)
        if not part.is_dir():
            raise folders.no_folder(part, LAYOUT)
        folders.say_left_out(root, _others(root))
        root = _passed_through(part)
    classes = folders.subfolders(root)
    if not classes:
        raise InputError(f"{root} contains no folder of a class. {LAYOUT}")
    found, left_out = folders.image_files_below(root)
    numbers = {path.name: number for number, path in enumerate(classes)}
    images = []
    for path in found:
        first, *below = path.relative_to(root).parts
        if below:
            images.append(Labelled(path, numbers[first]))
        else:
            left_out.append(path)
    folders.say_left_out(root, left_out)
    _check(classes, images)
    return tuple(path.name for path in classes), images


def has_split(folder: str | os.PathLike, split: str) -> bool:
    """Whether the folder has splits, and this one among them."""
    root = _passed_through(Path(folder))
    return has_splits(root) and folders.split_folder(root, split).is_dir()


def has_splits(root: Path) -> bool:
    """Whether a folder contains splits, and not the classes themselves.

    Raises:
        InputError: It could be either.
    """
    named = folders.splits(root)
    if not named:
        return False
    others = _others(root)
    if not others:
        return True
    parts = [path for path in named if _holds_classes(path)]
    if len({folders.CANONICAL[path.name.lower()] for path in parts}) > 1:
        return True
    if parts:
        raise InputError(
            f"{root} contains folders in {parts[0].name!r}, as a split does, and images in {others[0].name!r}, as a "
            f"class does. Expected splits or classes: move the others away, or pass {parts[0]} or a folder without it."
        )
    return False


def _others(root: Path) -> list[Path]:
    """The folders of images that are not called as splits are."""
    named = set(folders.splits(root))
    return [path for path in folders.subfolders(root) if path not in named and folders.holds_images(path)]


def _passed_through(root: Path) -> Path:
    """`root`, or the one folder in it if that contains the classes or the splits."""
    while len(inside := folders.subfolders(root)) == 1 and _holds_classes(inside[0]):
        if inside[0].name.lower() in folders.CANONICAL and inside[0].name != root.name:
            break
        root = inside[0]
    return root


def _holds_classes(folder: Path) -> bool:
    """Whether it contains folders of images, and no images beside them."""
    inside = folders.subfolders(folder)
    return any(map(folders.holds_images, inside)) and not folders.holds_images_itself(folder)


def _check(classes: list[Path], images: list[Labelled]) -> None:
    there = {item.label for item in images}
    if empty := [path for number, path in enumerate(classes) if number not in there]:
        raise InputError(f"The class {empty[0]} contains no image. Expected at least one, or remove the folder.")
    for path in classes:
        if any(0xD800 <= ord(char) < 0xE000 for char in path.name):  # bytes that are not UTF-8
            raise InputError(f"The class {path} has a name that is not UTF-8. Expected text: rename the folder.")
