"""The recipe of a detector of shapes: its images have the boxes that it states, and it learns to find them."""

import json

import numpy as np
import pytest
from PIL import Image

import zoo
from recipes import shapes_detection
from tests.training.small_tasks import detector
from zoo import architectures
from zoo.datasets.boxes import find_boxes


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return shapes_detection.write(tmp_path_factory.mktemp("shapes"), {"train": 24, "val": 8, "test": 8})


def test_a_box_is_around_its_shape(data):
    names, items = find_boxes(data, "train")
    assert names == shapes_detection.NAMES
    for item in items:
        pixels = np.asarray(Image.open(item.image)).astype(int)
        assert 1 <= len(item.boxes) <= shapes_detection.MOST
        for box in item.boxes:
            left, top, right, bottom = map(int, box.sides)
            color = pixels[(top + bottom) // 2, (left + right) // 2]
            rows, columns = np.nonzero((pixels == color).all(axis=-1)[top:bottom, left:right])
            assert (columns.min(), rows.max()) == (0, bottom - top - 1)
            assert columns.max() == right - left - 1
            assert rows.min() <= 1  # a triangle's tip is half a pixel


def test_the_same_seed_draws_the_same(data, tmp_path):
    again = shapes_detection.write(tmp_path, {"train": 2})
    first, second = ((root / "train" / "001.png").read_bytes() for root in (data, again))
    assert first == second
    annotations = [json.loads((root / "train" / "_annotations.coco.json").read_text()) for root in (data, again)]
    known = [one for one in annotations[0]["annotations"] if one["image_id"] < 2]
    assert annotations[1]["annotations"] == known


@pytest.mark.slow  # a training; test_object_detection.py has a quick one
def test_a_small_network_trains_on_them(data, tmp_path):
    """A few steps, which make the loss smaller; the slow test below goes on until all are found."""
    model = architectures.build(detector("fcos", 96, len(shapes_detection.NAMES)))
    options = {"image_size": 96, "epochs": 3, "batch_size": 8, "learning_rate": 0.01}
    run = zoo.finetune(model, data, output_dir=tmp_path / "run", **options)
    assert run.history["loss"][-1] < run.history["loss"][0]
    assert run.model.spec.labels == shapes_detection.NAMES
    assert set(run.metrics["class_ap_percent"]) <= set(shapes_detection.NAMES)


@pytest.mark.release  # minutes; the recipe itself is as long again
def test_it_finds_the_shapes(tmp_path):
    data = shapes_detection.write(tmp_path / "data", {"train": 80, "val": 20, "test": 40})
    options = {**shapes_detection.OPTIONS, "epochs": 10}
    run = zoo.finetune(shapes_detection.untrained("fcos"), data, output_dir=tmp_path / "run", **options)
    assert zoo.evaluate(run.model, data, split="test")["ap50_percent"] >= 90
