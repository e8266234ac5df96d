"""Where something lies in a picture: inputs are pictures of one size, targets column and row in pixels."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo.registry import Entry
from zoo.training.arrays import ArrayLesson
from zoo.training.examples import Examples
from zoo.training.lesson import answers


class CoordinateRegressionLesson(ArrayLesson):
    """The squared distance is what is made small."""

    input_rank, target_rank = 3, 1

    def loss(self, entry: Entry, learnt: Examples | None) -> Any:
        return "mean_squared_error"

    def report(self, model, batches, folder: Path) -> dict[str, Any]:
        distances = [np.linalg.norm(answers(model, x) - np.asarray(truth), axis=-1) for x, truth, *_ in batches]
        every = np.concatenate(distances)
        return {"count": len(every), "mean_distance_pixels": round(float(every.mean()), 4)}


LESSON = CoordinateRegressionLesson()
