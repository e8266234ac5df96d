"""Depths between those that were measured, from sparse maps and denser ones."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo import depth_colors
from zoo.datasets import depth_maps
from zoo.datasets.hugging_face import Cell
from zoo.depth_scores import DepthScores
from zoo.errors import InputError
from zoo.registry import Entry
from zoo.tasks.depth_completion import preprocess_depth
from zoo.training.checking import checked
from zoo.training.examples import Examples
from zoo.training.lesson import Lesson, answers, is_folder, pairs
from zoo.training.pictures import smallest
from zoo.training.views import same_view

LARGEST_CROP = (256, 512)  # height and width in pixels


class DepthCompletionLesson(Lesson):
    """Maps are cropped, never resized. Pixels without truth do not count."""

    crops = True
    data = "FOLDER/{train,val}/{sparse,dense}/NAME.png, KITTI's folders, or (sparse, dense) in metres"

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        if is_folder(data):
            items: list[Any] = list(depth_maps.find_pairs(data, split))
        else:
            items = pairs(data, self.data)
        items, sizes = checked(items, _checked, skip_unreadable=skip_unreadable)
        return Examples(tuple(items), smallest(sizes))

    def shape(self, entry: Entry, examples: Examples) -> tuple[int, ...]:
        return *map(min, examples.shape, LARGEST_CROP), 1

    def read(self, item, entry, shape, generator):
        sparse, truth = _read(item)
        sparse, truth = same_view([sparse[..., None], truth[..., None]], shape, generator)
        return {"image": sparse, "mask": (sparse > 0).astype(np.float32)}, truth

    def loss(self, entry: Entry, learnt: Examples | None) -> Any:
        return mae_metres

    def report(self, model, batches, folder: Path) -> dict[str, Any]:
        scores, shown = DepthScores(), None
        for inputs, truth, *_ in batches:
            for depths, right in zip(answers(model, inputs)[..., 0], np.asarray(truth)[..., 0], strict=True):
                if (right > 0).any():
                    scores.add(depths, right)
                shown = shown or depth_colors.picture(depths)
        if shown is not None:
            shown.save(folder / "depth.png")
        return {"count": scores.maps, **{name: round(value, 4) for name, value in scores.results().items()}}


def mae_metres(truth: Any, depths: Any) -> Any:
    """How far the depths are off where the truth is known (not 0): `(b, h, w, 1)` twice -> metres."""
    from keras import ops

    known = ops.cast(ops.greater(truth, 0), depths.dtype)
    return ops.sum(ops.abs(depths - truth) * known) / ops.maximum(ops.sum(known), 1)


def _checked(item: Any) -> tuple[int, ...]:
    """The size of two maps that fit each other."""
    sparse, truth = _read(item)
    if sparse.shape != truth.shape or sparse.ndim != 2 or not (truth > 0).any():
        raise InputError(
            f"Maps of depths have the shapes {sparse.shape} and {truth.shape}. Expected (height, width) of both, and a "
            "truth that is somewhere not 0."
        )
    preprocess_depth(sparse)
    return sparse.shape


def _read(item: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(item, depth_maps.Pair):
        return depth_maps.read_pair(item)
    sparse, truth = (_metres(values) for values in item)
    return sparse, truth


def _metres(values: Any) -> np.ndarray:
    if isinstance(values, Cell):  # a PNG file, as KITTI has them
        return np.asarray(values, "float32") / depth_maps.UNITS_PER_METRE
    return np.nan_to_num(np.asarray(values, "float32"))


LESSON = DepthCompletionLesson()
