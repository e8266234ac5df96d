"""A class for each pixel of an image."""

from typing import Any, ClassVar

from zoo.imaging import label_maps
from zoo.labels import read_labels
from zoo.tasks.images import Images, classes
from zoo.tasks.task import written


class SemanticSegmentation(Images):
    """`classes` with their areas; `record.label_map`, and `record.image` in the classes' colours."""

    pipeline_tag = "image-segmentation"
    show = 'print(record["classes"])\nrecord.image.save("photo-classes.png")'
    columns: ClassVar = {
        "width": int,
        "height": int,
        "classes": [{"index": int, "label": str, "area": float}],
        "label_map": bytes,
        "image": bytes,
    }

    def postprocess(self, record, entry, prepared, output, top) -> None:
        record["height"], record["width"] = prepared.shape[:2]
        record.label_map = label_maps.label_map(output, *prepared.shape[:2])
        record["classes"] = label_maps.areas(record.label_map, read_labels(entry.labels))
        record.image = label_maps.overlay(prepared, record.label_map, record["classes"])

    def lines(self, record: dict[str, Any]) -> list[str]:
        found = [f"{item['area']:7.2%}  {item['label'] or item['index']}" for item in record["classes"]]
        return [f"{record['width']} x {record['height']} pixels{written(record)}", *found]

    def gives(self, entry) -> str:
        return (
            f"logits `(batch, h, w, {entry.num_classes})`, a map as large as the image or smaller; enlarge it "
            f"bilinearly and take the largest of each pixel. Classes: {classes(entry)}."
        )


TASK = SemanticSegmentation()
