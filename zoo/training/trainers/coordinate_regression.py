"""The coordinates of an object in an image: inputs are images of one size, targets column and row in pixels."""

from typing import Any

from zoo.catalogue.entry import Entry
from zoo.measures.coordinates import DistanceMeasure
from zoo.training.arrays import ArrayTrainer
from zoo.training.examples import Examples


class CoordinateRegressionTrainer(ArrayTrainer):
    """The loss is the squared distance."""

    input_rank, target_rank = 3, 1

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        return "mean_squared_error"

    def measure(self, entry: Entry, examples: Examples | None) -> DistanceMeasure:
        return DistanceMeasure()


TRAINER = CoordinateRegressionTrainer()
