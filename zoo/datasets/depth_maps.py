"""Sparse depth maps with denser ones as targets: the data of depth completion, in the layouts they come
in.

    FOLDER/SPLIT/{sparse,dense}/NAME.png                                         one folder for each kind
    FOLDER/SPLIT/DRIVE/proj_depth/{velodyne_raw,groundtruth}/image_0?/NAME.png   KITTI's `train` and `val`
    FOLDER/depth_selection/val_selection_cropped/{velodyne_raw,groundtruth_depth}/NAME.png   KITTI's `test`

KITTI keeps the target of its own test set to itself; the selection, whose files carry the name of their kind in their
own, stands for it. PNG files of 16 bits: metres = value / 256, 0 = none. Imports neither Keras nor TensorFlow.
"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from zoo.datasets import folders
from zoo.errors import InputError
from zoo.imaging.files import Content, opened_image

UNITS_PER_METRE = 256
SELECTION = "depth_selection/val_selection_cropped"
LAYOUT = (
    "Expected {split}/sparse/NAME.png with {split}/dense/NAME.png, or KITTI's depth completion data as unpacked: "
    "{split}/DRIVE/proj_depth/velodyne_raw/image_02/NAME.png with .../groundtruth/image_02/NAME.png "
    f"(for the split test: {SELECTION}). See https://www.cvlibs.net/datasets/kitti/eval_depth.php."
)


class Pair(NamedTuple):
    """Where what was measured and the target lie."""

    sparse: Path
    dense: Path


def find_pairs(folder: str | os.PathLike, split: str) -> list[Pair]:
    """The maps of a split, by drive and name.

    Args:
        folder: The data set, in one of the layouts above.
        split: `"train"`, `"val"` or `"test"`.

    Raises:
        InputError: There is no such folder, no map in it, or a map without its target.
    """
    root = folders.split_folder(folder, split)
    expected = LAYOUT.format(split=root.name)
    if split == "test" and not root.is_dir():
        root = Path(folder) / SELECTION
    if not root.is_dir():
        raise folders.no_folder(Path(folder) / split, expected)
    pairs = [Pair(path, root / "dense" / path.name) for path in _found(root, "sparse/*.png")]
    for sparse in _found(root, "*/proj_depth/velodyne_raw/image_0?/*.png"):
        drive, camera = sparse.parents[2], sparse.parent.name
        pairs.append(Pair(sparse, drive / "groundtruth" / camera / sparse.name))
    for sparse in _found(root, "velodyne_raw/*.png"):
        name = sparse.name.replace("velodyne_raw", "groundtruth_depth")
        pairs.append(Pair(sparse, root / "groundtruth_depth" / name))
    if not pairs:
        raise InputError(f"{root} contains no depth map. {expected}")
    for pair in pairs:
        if not pair.dense.is_file():
            raise InputError(f"{pair.sparse} has no target: there is no {pair.dense}. {expected}")
    return pairs


def _found(root: Path, pattern: str) -> list[Path]:
    return sorted(path for path in root.glob(pattern) if not folders.is_hidden(path.name))


def read_pair(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """What was measured and the target, in metres, 0 where there is none: two of float32 `(height, width)`.

    Raises:
        UnreadableError: A file cannot be read.
        InputError: One is not a PNG of 16 bits and one channel, or the two differ in size.
    """
    sparse, dense = read_depths(pair.sparse), read_depths(pair.dense)
    if sparse.shape != dense.shape:
        raise InputError(
            f"{pair.sparse} is {sparse.shape[1]} x {sparse.shape[0]} pixels, its target {pair.dense} "
            f"{dense.shape[1]} x {dense.shape[0]}. Expected the same size: crop both alike; never resize them."
        )
    return sparse, dense


def read_depths(source: str | os.PathLike | Content | Image.Image) -> np.ndarray:
    """A PNG of 16 bits as metres, 0 where there is none: float32 `(height, width)`."""
    if isinstance(source, Image.Image):
        mode, values = source.mode, np.asarray(source)
    else:
        source = source if isinstance(source, Content) else os.fsdecode(source)
        with opened_image(source) as image:
            mode, values = image.mode, np.asarray(image)
    if not mode.startswith("I"):  # Pillow's modes of integers beyond 8 bits
        name = source.name if isinstance(source, Content) else "A map" if isinstance(source, Image.Image) else source
        raise InputError(
            f"{name} has pixels of Pillow's mode {mode}. Expected a PNG of 16 bits and one channel, "
            f"metres x {UNITS_PER_METRE}, 0 = none."
        )
    return values.astype("float32") / UNITS_PER_METRE
