"""Features of volumes: inputs are volumes of one size, targets the features that they should have."""

from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.measures.features import SquaredErrorMeasure
from zoo.tasks.volume_features import preprocess_volume
from zoo.training.arrays import ArrayTrainer
from zoo.training.examples import Examples


class VolumeFeaturesTrainer(ArrayTrainer):
    """A network without classes is trained on given vectors."""

    input_rank, target_rank = 4, 1

    def prepared(self, one: np.ndarray) -> np.ndarray:
        return preprocess_volume(one)

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        return "mean_squared_error"

    def measure(self, entry: Entry, examples: Examples | None) -> SquaredErrorMeasure:
        return SquaredErrorMeasure()


TRAINER = VolumeFeaturesTrainer()
