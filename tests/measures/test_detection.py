"""COCO's average precision, on cases that its own tool is called on directly: crowds, no boxes, one box."""

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from zoo.errors import InputError
from zoo.measures.detection import NAMES, DetectionMeasure

LABELS = ("cat", "dog", "bird")


def case(seed, images=6, most=12, crowds=False):
    """Random objects, and detections near them; a list of (objects, detections) of x1, y1, x2, y2, class."""
    generator, cases = np.random.default_rng(seed), []
    for _ in range(images):
        count = int(generator.integers(most + 1))
        corner, size = generator.uniform(0, 150, (count, 2)), generator.uniform(5, 150, (count, 2))
        boxes = np.concatenate([corner, corner + size], axis=1)
        classes, crowd = generator.integers(3, size=count), generator.random(count) < (0.3 if crowds else 0)
        moved = boxes + generator.normal(0, 4, boxes.shape)
        found = np.concatenate([moved, generator.uniform(0, 300, (3, 4)).cumsum(axis=1)])
        scores = np.round(generator.random(len(found)), 3)
        labels = np.concatenate([classes, generator.integers(3, size=3)])
        cases.append((boxes, classes, crowd, found.clip(0, 300), scores, labels))
    return cases


def measured(cases):
    measure = DetectionMeasure(LABELS)
    for boxes, classes, crowd, found, scores, labels in cases:
        order = np.argsort(-scores)
        outputs = {"boxes": found[order], "scores": scores[order], "classes": labels[order], "count": len(scores)}
        outputs = {name: np.asarray(value)[None] for name, value in outputs.items()}
        rows = len(classes) + 2
        target = {
            "boxes": np.zeros((1, rows, 4)),
            "classes": np.full((1, rows), -1),
            "is_crowd": np.zeros((1, rows), int),
            "areas": np.zeros((1, rows)),
            "scale": np.ones((1, 4)),
            "size": np.full((1, 4), 300),
        }
        target["boxes"][0, : len(classes)], target["classes"][0, : len(classes)] = boxes, classes
        target["is_crowd"][0, : len(classes)] = crowd
        target["areas"][0, : len(classes)] = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
        measure.add(outputs, target)
    return measure.results()


def by_the_tool(cases):
    target, found = COCO(), COCO()
    images, sought, answered = [], [], []
    for number, (boxes, classes, crowd, detected, scores, labels) in enumerate(cases, start=1):
        images.append({"id": number})
        for box, label, is_crowd in zip(boxes, classes, crowd, strict=True):
            sides = [*box[:2], *(box[2:] - box[:2])]
            sought.append({"id": len(sought) + 1, "image_id": number, "category_id": int(label), "bbox": sides,
                           "area": sides[2] * sides[3], "iscrowd": int(is_crowd)})  # fmt: skip
        for box, score, label in zip(detected, scores, labels, strict=True):
            sides = [*box[:2], *(box[2:] - box[:2])]
            answered.append({"image_id": number, "category_id": int(label), "bbox": sides, "score": float(score)})
    target.dataset = {"images": images, "annotations": sought, "categories": [{"id": number} for number in range(3)]}
    target.createIndex()
    found = target.loadRes(answered)
    evaluated = COCOeval(target, found, "bbox")
    evaluated.evaluate(), evaluated.accumulate(), evaluated.summarize()
    return evaluated.stats


@pytest.mark.parametrize(
    "cases",
    [case(0), case(1, crowds=True), case(2, images=2, most=60), case(3, images=1, most=1)],
    ids=["several", "crowds", "crowded", "one"],
)
def test_it_is_that_of_the_tool(cases):
    results, expected = measured(cases), by_the_tool(cases)
    for name, value in zip(NAMES, expected, strict=False):
        assert results.get(name, -100) == pytest.approx(100 * value, abs=0.006)  # two digits are kept


def test_without_objects_there_is_the_count_alone():
    empty = [(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0, bool), *case(0)[0][3:])]
    assert measured(empty) == {"count": 1}


def test_outputs_without_boxes_are_refused():
    with pytest.raises(InputError, match="no boxes"):
        DetectionMeasure(LABELS).add(np.zeros((1, 3)), {})
