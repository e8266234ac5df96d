"""One class for a picture."""

from typing import Any, ClassVar

import numpy as np

from zoo.datasets.class_folders import find_pictures, has_splits
from zoo.errors import InputError
from zoo.labels import read_labels
from zoo.preprocessing import preprocess
from zoo.tasks.pictures import Pictures, classes


class ImageClassification(Pictures):
    """`predictions`: the best classes with their softmax scores."""

    pipeline_tag = "image-classification"
    show = 'for answer in record["predictions"]:\n    print(answer)'
    columns: ClassVar = {"predictions": [{"index": int, "label": str, "score": float}]}

    def answer(self, record, entry, prepared, output, top) -> None:
        labels = read_labels(entry.labels)
        scores = np.exp(output - output.max())
        scores /= scores.sum()
        record["predictions"] = [
            {"index": int(index), "label": labels[index] if labels else None, "score": round(float(scores[index]), 6)}
            for index in np.argsort(-scores, kind="stable")[:top]
        ]

    def lines(self, record: dict[str, Any]) -> list[str]:
        return [
            f"{item['score']:7.2%}  {(item['label'] or str(item['index'])).split(',')[0]}"
            for item in record["predictions"]
        ]

    def evaluate(self, model, folder, split, track) -> dict[str, Any]:
        import keras

        names, pictures = find_pictures(folder, split if has_splits(folder) else None)
        labels = read_labels(model.spec.labels) or tuple(map(str, range(model.spec.num_classes)))
        if strangers := [name for name in names if name not in labels]:
            raise InputError(
                f"{folder} has the classes {', '.join(strangers[:3])}, which {model.spec.name} does not know. Expected "
                f"folders called as its {len(labels)} classes, such as {', '.join(labels[:3])}."
            )
        ranks: dict[str, list[int]] = {name: [] for name in names}
        for path, label in track(pictures):
            prepared = preprocess(path, model.spec.input)
            logits = keras.ops.convert_to_numpy(model(prepared[None], training=False))[0]
            ranks[names[label]].append(int((logits > logits[labels.index(names[label])]).sum()))
        every = np.concatenate([ranks[name] for name in names])
        best = {"top1_percent": _percent(every < 1)} | (
            {"top5_percent": _percent(every < 5)} if len(labels) > 5 else {}
        )
        by_class = {name: _percent(np.array(ranks[name]) < 1) for name in names}
        return {"count": len(every), **best, "class_percent": by_class}

    def gives(self, entry) -> str:
        return (
            f"logits `(batch, {entry.num_classes})`; their softmax is a score from 0 to 1. Classes: {classes(entry)}."
        )


def _percent(hits: np.ndarray) -> float:
    return round(100 * float(hits.mean()), 2)


TASK = ImageClassification()
