"""The classes of an image, any number of them at once."""

from typing import Any, ClassVar

import numpy as np

from zoo.labels import label_at, read_labels
from zoo.tasks.images import Images, classes

APPLIES = 0.5  # the score from which a label applies


class MultiLabelClassification(Images):
    """`labels`: those that apply, with a sigmoid score of a half or more; `predictions`: the best with their scores."""

    pipeline_tag = "image-classification"
    show = 'print(record["labels"])\nfor answer in record["predictions"]:\n    print(answer)'
    columns: ClassVar = {"labels": [str], "predictions": [{"index": int, "label": str, "score": float}]}

    def postprocess(self, record, entry, prepared, output, top) -> None:
        labels, scores = read_labels(entry.labels), self.scores(output)
        order = np.argsort(-scores, kind="stable")
        record["labels"] = [label_at(labels, index) or str(index) for index in order if scores[index] >= APPLIES]
        record["predictions"] = [
            {"index": int(index), "label": label_at(labels, index), "score": round(float(scores[index]), 6)}
            for index in order[:top]
        ]

    def scores(self, output: np.ndarray) -> np.ndarray:
        """The sigmoid of logits `(labels,)`."""
        return 0.5 * (1 + np.tanh(output.astype("float64") / 2))

    def lines(self, record: dict[str, Any]) -> list[str]:
        scores = [f"{item['score']:7.2%}  {item['label'] or item['index']}" for item in record["predictions"]]
        return [f"labels: {', '.join(record['labels']) or 'none'}", *scores]

    def gives(self, entry) -> str:
        return (
            f"logits `(batch, {entry.num_classes})`; the sigmoid of each is a score from 0 to 1, and labels with a "
            f"score of at least {APPLIES:g} apply, any number of them. Labels: {classes(entry)}."
        )


TASK = MultiLabelClassification()
