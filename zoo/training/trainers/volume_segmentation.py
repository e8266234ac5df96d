"""Segmentation of volumes: inputs are volumes of one size, targets volumes of 0 and 1."""

from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.errors import InputError
from zoo.measures.overlap import OverlapMeasure
from zoo.tasks.volumes import read_volume
from zoo.training.arrays import ArrayTrainer
from zoo.training.examples import Examples
from zoo.training.trainers.coordinate_rendering import from_logits


class VolumeSegmentationTrainer(ArrayTrainer):
    """Each voxel belongs to the object or not."""

    input_rank, target_rank = 4, 3

    def prepared(self, one: np.ndarray) -> np.ndarray:
        return read_volume(one)[..., None]

    def check(self, entry: Entry, one: np.ndarray, target: np.ndarray) -> None:
        if one.shape[:-1] != target.shape:
            raise InputError(
                f"A volume has the shape {one.shape[:-1]}, its target {target.shape}. Expected the same: 1 for "
                "each voxel that is sought, 0 for the others."
            )

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        return from_logits

    def measure(self, entry: Entry, examples: Examples | None) -> OverlapMeasure:
        return OverlapMeasure()


TRAINER = VolumeSegmentationTrainer()
