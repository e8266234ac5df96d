"""The pixel that (x, y) means: inputs are (x, y), targets the column and row of a pixel."""

from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.measures.coordinates import PixelMeasure
from zoo.tasks.coordinates import CANVAS, preprocess_coordinates
from zoo.training.arrays import ArrayTrainer
from zoo.training.examples import Examples


class CoordinateClassificationTrainer(ArrayTrainer):
    """One class per pixel of the canvas."""

    input_rank, target_rank = 1, 1

    def check(self, entry: Entry, one: np.ndarray, target: np.ndarray) -> None:
        side = entry.config.get("canvas", CANVAS)
        preprocess_coordinates(target, (side, side))

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        return cross_entropy

    def measure(self, entry: Entry, examples: Examples | None) -> PixelMeasure:
        return PixelMeasure()


def cross_entropy(target: Any, logits: Any) -> Any:
    """Of the softmax over all pixels: (x, y) `(b, 2)`, logits `(b, h, w)` -> `(b,)`."""
    from keras import ops

    index = ops.cast(target[:, 1] * logits.shape[2] + target[:, 0], "int32")
    flat = ops.reshape(logits, (-1, logits.shape[1] * logits.shape[2]))
    return ops.sparse_categorical_crossentropy(index, flat, from_logits=True)


TRAINER = CoordinateClassificationTrainer()
