"""Which voxels are sought: inputs are volumes of one size, targets volumes of 0 and 1."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo.registry import Entry
from zoo.tasks.volumes import read_volume
from zoo.training.arrays import ArrayLesson
from zoo.training.examples import Examples
from zoo.training.lessons.coordinate_rendering import from_logits, overlap


class VolumeSegmentationLesson(ArrayLesson):
    """Each voxel is sought or not."""

    input_rank, target_rank = 4, 3

    def prepared(self, one: np.ndarray) -> np.ndarray:
        return read_volume(one)[..., None]

    def loss(self, entry: Entry, learnt: Examples | None) -> Any:
        return from_logits

    def report(self, model, batches, folder: Path) -> dict[str, Any]:
        return overlap(model, batches)


LESSON = VolumeSegmentationLesson()
