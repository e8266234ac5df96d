"""What is drawn at (x, y): inputs are (x, y), targets canvases of 0 and 1."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo.registry import Entry
from zoo.training.arrays import ArrayLesson
from zoo.training.examples import Examples
from zoo.training.lesson import answers


class CoordinateRenderingLesson(ArrayLesson):
    """Each pixel is drawn or not."""

    input_rank, target_rank = 1, 2

    def loss(self, entry: Entry, learnt: Examples | None) -> Any:
        return from_logits

    def report(self, model, batches, folder: Path) -> dict[str, Any]:
        return overlap(model, batches)


def from_logits(truth: Any, logits: Any) -> Any:
    """The cross entropy of yes and no; an axis of one channel may be missing in the truth."""
    from keras import ops

    truth = ops.reshape(ops.cast(truth, "float32"), ops.shape(logits))
    return ops.mean(ops.binary_crossentropy(truth, ops.cast(logits, "float32"), from_logits=True))


def overlap(model: Any, batches: Any) -> dict[str, Any]:
    """How much of what is found and what is there is both: the IoU over all of the data."""
    count, both, either = 0, 0, 0
    for inputs, truth, *_ in batches:
        found = answers(model, inputs) > 0
        right = np.asarray(truth).reshape(found.shape) > 0.5
        count, both, either = count + len(found), both + int((found & right).sum()), either + int((found | right).sum())
    return {"count": count, "iou_percent": round(100 * both / max(1, either), 2)}


LESSON = CoordinateRenderingLesson()
