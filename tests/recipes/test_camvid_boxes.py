"""The boxes that are made of CamVid's masks: connected parts, and the small ones left out."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from recipes import camvid_boxes, camvid_boxes_image
from recipes.camvid import CLASSES
from zoo.datasets.boxes import find_boxes

CAR, SIGN, ROAD = (CLASSES.index(name) for name in ("car", "sign", "road"))


@pytest.fixture
def mask():
    """A car, another that touches it by a corner, one apart, a sign that is too small, and road."""
    values = np.full((60, 80), ROAD, "uint8")
    values[10:20, 10:30] = CAR
    values[20:25, 30:40] = CAR
    values[40:50, 60:80] = CAR
    values[5:12, 70:79] = SIGN
    return values


def test_parts_that_touch_are_one(mask):
    found = sorted(camvid_boxes.parts(mask))
    sign, car = (camvid_boxes.OBJECTS.index(name) for name in ("sign", "car"))
    assert found == [(sign, (70, 5, 9, 7), 63), (car, (10, 10, 30, 15), 250), (car, (60, 40, 20, 10), 200)]


def test_a_split_is_written_as_coco_has_it_and_small_parts_are_left_out(mask, tmp_path):
    for split in ("train", "val", "test"):
        (tmp_path / "camvid" / split).mkdir(parents=True)
        Image.fromarray(np.zeros((60, 80, 3), "uint8")).save(tmp_path / "camvid" / split / "a.jpg")
        Image.fromarray(mask).save(tmp_path / "camvid" / split / "a.png")
    boxes = camvid_boxes.write(tmp_path / "camvid", tmp_path / "boxes")
    assert camvid_boxes.write(tmp_path / "camvid", tmp_path / "boxes") == boxes  # again, as where a run resumes
    names, (item,) = find_boxes(boxes, "val")
    assert names == camvid_boxes.OBJECTS
    assert item.size == (80, 60)
    assert sorted((names[box.label], box.is_crowd, box.sides) for box in item.boxes) == [
        ("car", False, (10, 10, 40, 25)),
        ("car", False, (60, 40, 80, 50)),
        ("sign", True, (70, 5, 79, 12)),
    ]
    content = json.loads((boxes / "val" / "_annotations.coco.json").read_text())
    assert [one["area"] for one in content["annotations"]] == [63, 250, 200]


CHECKPOINTS = Path(zoo.__file__).parent / "checkpoints"


def test_what_is_shipped_is_what_was_measured():
    report, entry = json.loads((CHECKPOINTS / "fcos-lite0.json").read_text()), zoo.info("fcos-lite0")
    (measured,) = [row for name, row in report["comparison"].items() if name.startswith("fcos-lite0")]
    assert {name: measured[name] for name in entry.metrics} == entry.metrics
    assert entry.labels == camvid_boxes.OBJECTS
    assert measured["ap50_percent"] > 2 * report["baseline"]["ap50_percent"]


def test_the_card_s_image_has_a_bar_for_each_class_and_network():
    (axes,) = camvid_boxes_image.draw().axes
    assert len(axes.patches) == 2 * len(camvid_boxes.OBJECTS)
    assert [label.get_text() for label in axes.get_xticklabels()] == list(camvid_boxes.OBJECTS)
