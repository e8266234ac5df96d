"""Depths between those that were measured, from sparse maps and denser ones."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.datasets import depth_maps
from zoo.errors import InputError
from zoo.imaging import depth_colors
from zoo.measures.depth import DepthMeasure
from zoo.tasks.depth_completion import preprocess_depth
from zoo.training.checking import checked
from zoo.training.examples import Examples
from zoo.training.images import smallest
from zoo.training.trainer import TaskTrainer, is_folder, pairs, path_pairs
from zoo.training.views import same_view

LARGEST_CROP = (256, 512)  # height and width in pixels


class DepthCompletionTrainer(TaskTrainer):
    """Maps are cropped, never resized. Pixels without target do not count."""

    crops = True
    data = "FOLDER/{train,val}/{sparse,dense}/NAME.png, KITTI's folders, or (sparse, dense) in float metres"

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        if is_folder(data):
            items: list[Any] = list(depth_maps.find_pairs(data, split))
        else:
            items = path_pairs(pairs(data, self.data), depth_maps.Pair)
        items, sizes = checked(items, _checked, skip_unreadable=skip_unreadable)
        return Examples(tuple(items), smallest(sizes))

    def has_split(self, data: Any, split: str) -> bool:
        is_selection = split == "test" and is_folder(data) and (Path(data) / depth_maps.SELECTION).is_dir()
        return is_selection or super().has_split(data, split)

    def shape(self, entry: Entry, examples: Examples) -> tuple[int, ...]:
        return *map(min, examples.shape, LARGEST_CROP), 1

    def read(self, item, entry, shape, generator):
        sparse, target = _read(item)
        sparse, target = same_view([sparse[..., None], target[..., None]], shape, generator)
        return {"image": sparse, "mask": (sparse > 0).astype(np.float32)}, target

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        return mae_metres

    def measure(self, entry: Entry, examples: Examples | None) -> DepthMeasure:
        return DepthMeasure()

    def draw(self, entry, measure, example, folder) -> None:
        depth_colors.image(example[2][..., 0]).save(folder / "depth.png")


def mae_metres(target: Any, depths: Any) -> Any:
    """Mean absolute error where the target is known (not 0): `(b, h, w, 1)` twice -> metres."""
    from keras import ops

    known = ops.cast(ops.greater(target, 0), depths.dtype)
    return ops.sum(ops.abs(depths - target) * known) / ops.maximum(ops.sum(known), 1)


def _checked(item: Any) -> tuple[int, ...]:
    """The size of two maps that fit each other."""
    sparse, target = _read(item)
    if sparse.shape != target.shape:
        raise InputError(
            f"Depth maps have the shapes {sparse.shape} and {target.shape}. Expected (height, width) of both."
        )
    for depths in (sparse, target):
        preprocess_depth(depths)  # raises an error for what is not a depth
    return sparse.shape


def _read(item: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(item, depth_maps.Pair):
        return depth_maps.read_pair(item)
    sparse, target = (_metres(values) for values in item)
    return sparse, target


def _metres(values: Any) -> np.ndarray:
    array = np.asarray(values)  # integers are those of a PNG file, as KITTI has them
    if array.ndim != 2 or array.dtype.kind not in "iuf":
        raise InputError(
            f"A depth map has the shape {array.shape} and the dtype {array.dtype}. Expected (height, width), float "
            f"metres (0 or NaN = none) or integers (metres x {depth_maps.UNITS_PER_METRE})."
        )
    metres = array.astype(np.float32) / (1 if array.dtype.kind == "f" else depth_maps.UNITS_PER_METRE)
    return np.where(np.isnan(metres), np.float32(0), metres)


TRAINER = DepthCompletionTrainer()
