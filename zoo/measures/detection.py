"""Metrics of object detection: COCO's average precision, computed by its own tool."""

import contextlib
import io
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.errors import InputError, MissingExtraError
from zoo.measures.measure import Measure

NAMES = ("ap_percent", "ap50_percent", "ap75_percent", "ap_small_percent", "ap_medium_percent", "ap_large_percent")


class DetectionMeasure(Measure):
    """`ap_percent`, over overlaps from 0.50 to 0.95, `ap50_percent`, `ap75_percent`, the first by the size of objects
    (up to 32 pixels squared, to 96, and above), and `class_ap_percent` per class.

    Outputs are a dict of `boxes` `(batch, n, 4)`, `scores` and `classes` `(batch, n)`, and `count` `(batch,)`. Targets
    are a dict of `boxes` `(batch, m, 4)` in pixels of the whole images, their `classes`, -1 where there are no more,
    `is_crowd` and `areas`, `(batch, m)`; `scale` `(batch, 4)`, which makes the outputs' boxes pixels of the whole
    images, and `size`, where these end. Without any object there is the count alone.

    Args:
        labels: What the classes are called, in the order of the scores.
    """

    def __init__(self, labels: Sequence[str]):
        super().__init__()
        self.labels = labels
        self._found: list[dict[str, Any]] = []
        self._sought: list[dict[str, Any]] = []

    def add(self, outputs: Any, targets: Any, inputs: Any = None) -> None:
        """Count a batch."""
        if not isinstance(outputs, dict) or not {"boxes", "scores", "classes", "count"} <= set(outputs):
            raise InputError("The outputs have no boxes. Expected those of a model for object detection.")
        if not all(np.isfinite(outputs[name]).all() for name in ("boxes", "scores")):
            raise InputError("The model gives NaN or infinity. Expected finite outputs: its weights are damaged.")
        for place, count in enumerate(np.asarray(outputs["count"])):
            self.count += 1
            boxes = np.asarray(outputs["boxes"][place][:count], "float64") * targets["scale"][place]
            boxes = np.clip(boxes, 0, targets["size"][place])
            for box, score, label in zip(boxes, outputs["scores"][place], outputs["classes"][place], strict=False):
                self._found.append(self._item(box, label) | {"score": float(score), "id": len(self._found) + 1})
            sought = zip(*(targets[name][place] for name in ("boxes", "classes", "is_crowd", "areas")), strict=True)
            for box, label, is_crowd, area in sought:
                if label >= 0:
                    item = self._item(np.asarray(box, "float64"), label) | {"area": float(area)}
                    self._sought.append(item | {"id": len(self._sought) + 1, "iscrowd": int(is_crowd)})

    def _item(self, box: np.ndarray, label: Any) -> dict[str, Any]:
        x, y, right, bottom = map(float, box)
        sides = [x, y, right - x, bottom - y]
        return {"image_id": self.count, "category_id": int(label), "bbox": sides, "area": sides[2] * sides[3]}

    def results(self) -> dict[str, Any]:
        """The metrics, which `json.dumps` takes."""
        if not any(not item["iscrowd"] for item in self._sought):
            return {"count": self.count}
        evaluated = self._evaluated()
        found = {name: round(100 * float(value), 2) for name, value in zip(NAMES, evaluated.stats, strict=False)}
        precision = evaluated.eval["precision"][:, :, :, 0, -1]  # overlaps, recalls, classes, all sizes, most boxes
        by_class = {}
        for place, number in enumerate(evaluated.params.catIds):
            values = precision[:, :, place]
            if (values > -1).any():
                by_class[self._name(number)] = round(100 * float(values[values > -1].mean()), 2)
        return {
            "count": self.count,
            **{name: value for name, value in found.items() if value >= 0},  # -1: there is no object of that size
            "class_ap_percent": by_class,
        }

    def numbers(self) -> dict[str, float]:
        """The average precisions, of one object at least."""
        found = self.results()
        return {name: value for name, value in found.items() if name != "count" and not isinstance(value, dict)}

    def _name(self, number: int) -> str:
        return self.labels[number] if number < len(self.labels) else str(number)

    def _evaluated(self) -> Any:
        COCO, COCOeval = coco_tool()  # noqa: N806 (classes)
        numbers = sorted({item["category_id"] for item in itertools.chain(self._sought, self._found)})
        with contextlib.redirect_stdout(io.StringIO()):  # its progress
            target, found = COCO(), COCO()
            for data, items in ((target, self._sought), (found, self._found)):
                data.dataset = {
                    "images": [{"id": number} for number in range(1, self.count + 1)],
                    "categories": [{"id": number} for number in numbers],
                    "annotations": [{"iscrowd": 0, **item} for item in items],
                }
                data.createIndex()
            evaluated = COCOeval(target, found, "bbox")
            evaluated.evaluate()
            evaluated.accumulate()
            evaluated.summarize()
        return evaluated

    def intervals(self, seed: int = 0) -> dict[str, list[float]]:
        """None: the tool takes seconds for each of the thousand choices of images."""
        return {}

    def _rows_of(self, outputs, targets, inputs):
        raise NotImplementedError  # `add` keeps boxes, not rows

    def _results(self, rows):
        raise NotImplementedError


def coco_tool() -> tuple[Any, Any]:
    """COCO's own tool: the class of annotations, and the one that evaluates.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise MissingExtraError(
            f"COCO's average precision needs pycocotools, which is not installed ({error}). Expected: "
            "pip install 'layerzoo[detection]'."
        ) from error
    return COCO, COCOeval
