"""A class for each pixel of a picture."""

from typing import Any, ClassVar

import numpy as np

from zoo import segmentation
from zoo.datasets import pictures_with_masks
from zoo.labels import read_labels
from zoo.segmentation_scores import confusion_matrix, segmentation_scores
from zoo.tasks.pictures import Pictures, classes
from zoo.tasks.task import written


class SemanticSegmentation(Pictures):
    """`classes` with their areas; `record.label_map`, and `record.picture` in the classes' colours."""

    pipeline_tag = "image-segmentation"
    show = 'print(record["classes"])\nrecord.picture.save("photo-classes.png")'
    columns: ClassVar = {
        "width": int,
        "height": int,
        "classes": [{"index": int, "label": str, "area": float}],
        "label_map": bytes,
        "picture": bytes,
    }

    def answer(self, record, entry, prepared, output, top) -> None:
        record["height"], record["width"] = prepared.shape[:2]
        record.label_map = segmentation.label_map(output, *prepared.shape[:2])
        record["classes"] = segmentation.areas(record.label_map, read_labels(entry.labels))
        record.picture = segmentation.overlay(prepared, record.label_map, record["classes"])

    def lines(self, record: dict[str, Any]) -> list[str]:
        found = [f"{item['area']:7.2%}  {item['label'] or item['index']}" for item in record["classes"]]
        return [f"{record['width']} x {record['height']} pixels{written(record)}", *found]

    def evaluate(self, model, folder, split, track) -> dict[str, Any]:
        import keras

        pairs, count = pictures_with_masks.find_pairs(folder, split), model.spec.num_classes
        confusion = np.zeros((count, count), np.int64)
        for pair in track(pairs):
            picture, truth = pictures_with_masks.read_pair(pair, count)
            output = keras.ops.convert_to_numpy(model(picture[None], training=False))[0]
            confusion += confusion_matrix(truth, segmentation.label_map(output, *truth.shape), count)
        scores = segmentation_scores(confusion)
        labels = read_labels(model.spec.labels) or tuple(map(str, range(count)))
        by_class = {name: round(iou, 2) for name, iou in zip(labels, scores.class_iou, strict=True) if iou == iou}
        return {
            "count": len(pairs),
            "global_accuracy_percent": round(scores.global_accuracy, 2),
            "mean_class_accuracy_percent": round(scores.mean_class_accuracy, 2),
            "mean_iou_percent": round(scores.mean_iou, 2),
            "class_iou_percent": by_class,
        }

    def gives(self, entry) -> str:
        return (
            f"logits `(batch, h, w, {entry.num_classes})`, a map as large as the picture or smaller; enlarge it "
            f"bilinearly and take the largest of each pixel. Classes: {classes(entry)}."
        )


TASK = SemanticSegmentation()
