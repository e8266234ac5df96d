"""The objects in an image, each with a box."""

from typing import Any, ClassVar

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.imaging.boxes import in_whole, shown
from zoo.imaging.preprocessing import Resized, preprocess_whole
from zoo.labels import label_at, read_labels
from zoo.tasks.images import Images, classes
from zoo.tasks.task import Prepared, written

SHOWN = 0.3  # the score from which a box is drawn and printed


class ObjectDetection(Images):
    """`predictions`: the objects, best first, with their boxes in the whole image; `record.image` shows them."""

    pipeline_tag = "object-detection"
    example = "street.jpg"
    show = 'for answer in record["predictions"]:\n    print(answer)\nrecord.image.save("street-boxes.png")'
    columns: ClassVar = {
        "width": int,
        "height": int,
        "predictions": [{"index": int, "label": str, "score": float, "box": [float]}],
    }
    read_outputs = ("boxes", "scores", "classes", "count")

    def prepare(self, source: Any, entry: Entry) -> Prepared:
        return preprocess_whole(source, entry.input)

    def postprocess(self, record, entry, prepared, output, top) -> None:
        labels, count = read_labels(entry.labels), int(output["count"])
        is_whole = isinstance(prepared, Resized) and getattr(prepared, "whole", None) is not None
        boxes = np.asarray(output["boxes"][:count])
        record["width"], record["height"] = prepared.whole.size if is_whole else prepared.shape[1::-1]
        if is_whole:
            boxes = in_whole(boxes, prepared.whole.size, entry.input)
        record["predictions"] = [
            {
                "index": int(index),
                "label": label_at(labels, int(index)),
                "score": round(float(score), 6),
                "box": [round(float(side), 3) for side in box],
            }
            for index, score, box in zip(output["classes"], output["scores"], boxes, strict=False)
        ]
        if is_whole:
            record.image = shown(prepared.whole, [item for item in record["predictions"] if item["score"] >= SHOWN])

    def lines(self, record: dict[str, Any]) -> list[str]:
        found = [item for item in record["predictions"] if item["score"] >= SHOWN]
        weak = len(record["predictions"]) - len(found)
        lines = [f"{record['width']} x {record['height']} pixels{written(record)}"]
        for item in found:
            left, top, right, bottom = (round(side) for side in item["box"])
            name = item["label"] or str(item["index"])
            lines.append(f"{item['score']:7.2%}  {name}  from ({left}, {top}) to ({right}, {bottom})")
        return lines + ([f"and {weak} with a score below {SHOWN:.0%}"] if weak else [])

    def takes(self, entry: Entry) -> str:
        image = entry.input
        channels = len(image.mean)
        kind = {1: "grey", 3: image.channels.upper()}.get(channels, f"{channels} channels")
        text = f"{kind}, 0 to 255, uint8 or float, `(batch, height, width, {channels})`; height and width in pixels."
        resized = {
            "letterbox": f"so that the whole image fits into {image.size} x {image.size}, on "
            + ("grey" if image.fill == "grey" else "the colour of the mean"),
            "shortest": f"to a shorter side of {image.size} or a longer one of {image.longest or 'any length'}",
        }.get(image.crop_mode, f"to {image.size} x {image.size}")
        how = f"`model.preprocess(image)` resizes {resized} ({image.interpolation})"
        return f"{text} {f'{how}.' if image.size else 'Any size, unchanged.'} Normalisation is inside."

    def gives(self, entry: Entry) -> str:
        return (
            "by name `boxes`, `(batch, n, 4)`, x1, y1, x2 and y2 in pixels of the image that the model is given, "
            "`scores`, `(batch, n)`, from 0 to 1, best first, `classes`, `(batch, n)`, and `count`, `(batch,)`, how "
            "many of the n are filled; for training, `cls_logits` and `bbox_regression` of all places, `(batch, "
            f"places, ...)`. Classes: {classes(entry)}."
        )


TASK = ObjectDetection()
