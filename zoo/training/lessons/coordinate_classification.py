"""The pixel that (x, y) means: inputs are (x, y), targets the column and row of a pixel."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo.registry import Entry
from zoo.training.arrays import ArrayLesson
from zoo.training.examples import Examples
from zoo.training.lesson import answers


class CoordinateClassificationLesson(ArrayLesson):
    """One class a pixel of the canvas."""

    input_rank, target_rank = 1, 1

    def loss(self, entry: Entry, learnt: Examples | None) -> Any:
        return cross_entropy

    def report(self, model, batches, folder: Path) -> dict[str, Any]:
        hits: list[bool] = []
        for inputs, truth, *_ in batches:
            logits = answers(model, inputs)
            best = logits.reshape(len(logits), -1).argmax(axis=-1)
            hits += (best == np.asarray(truth) @ (1, logits.shape[2])).tolist()
        return {"count": len(hits), "accuracy_percent": round(100 * float(np.mean(hits)), 2)}


def cross_entropy(truth: Any, logits: Any) -> Any:
    """Of the softmax over all pixels: (x, y) `(b, 2)`, logits `(b, h, w)` -> `(b,)`."""
    from keras import ops

    index = ops.cast(truth[:, 1] * logits.shape[2] + truth[:, 0], "int32")
    flat = ops.reshape(logits, (-1, logits.shape[1] * logits.shape[2]))
    return ops.sparse_categorical_crossentropy(index, flat, from_logits=True)


LESSON = CoordinateClassificationLesson()
