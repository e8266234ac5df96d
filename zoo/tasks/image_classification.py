"""The class of an image."""

from typing import Any, ClassVar

import numpy as np

from zoo.labels import label_at, read_labels
from zoo.tasks.images import Images, classes


class ImageClassification(Images):
    """`predictions`: the best classes with their softmax scores."""

    pipeline_tag = "image-classification"
    show = 'for answer in record["predictions"]:\n    print(answer)'
    columns: ClassVar = {"predictions": [{"index": int, "label": str, "score": float}]}

    def postprocess(self, record, entry, prepared, output, top) -> None:
        labels, scores = read_labels(entry.labels), self.scores(output)
        record["predictions"] = [
            {"index": int(index), "label": label_at(labels, index), "score": round(float(scores[index]), 6)}
            for index in np.argsort(-scores, kind="stable")[:top]
        ]

    def scores(self, output: np.ndarray) -> np.ndarray:
        """The softmax of logits `(classes,)`."""
        shares = np.exp(output - output.max())
        return shares / shares.sum()

    def lines(self, record: dict[str, Any]) -> list[str]:
        return [
            f"{item['score']:7.2%}  {(item['label'] or str(item['index'])).split(',')[0]}"
            for item in record["predictions"]
        ]

    def gives(self, entry) -> str:
        return (
            f"logits `(batch, {entry.num_classes})`; their softmax is a score from 0 to 1. Classes: {classes(entry)}."
        )


TASK = ImageClassification()
