"""What is drawn at (x, y): inputs are (x, y), targets canvases of 0 and 1."""

from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.errors import InputError
from zoo.measures.overlap import OverlapMeasure
from zoo.tasks.coordinates import CANVAS
from zoo.training.arrays import ArrayTrainer
from zoo.training.examples import Examples


class CoordinateRenderingTrainer(ArrayTrainer):
    """Each pixel is drawn or not."""

    input_rank, target_rank = 1, 2

    def check(self, entry: Entry, one: np.ndarray, target: np.ndarray) -> None:
        side = entry.config.get("canvas", CANVAS)
        if target.shape != (side, side):
            raise InputError(f"A canvas has the shape {target.shape}. Expected {(side, side)}, as the model draws.")

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        return from_logits

    def measure(self, entry: Entry, examples: Examples | None) -> OverlapMeasure:
        return OverlapMeasure()


def from_logits(target: Any, logits: Any) -> Any:
    """The cross entropy of yes and no; an axis of one channel may be missing in the target."""
    from keras import ops

    target = ops.reshape(ops.cast(target, "float32"), ops.shape(logits))
    return ops.mean(ops.binary_crossentropy(target, ops.cast(logits, "float32"), from_logits=True))


TRAINER = CoordinateRenderingTrainer()
