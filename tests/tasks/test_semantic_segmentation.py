"""Semantic segmentation: label map, areas, colours and overlay, by hand and through `zoo.predict`."""

import json

import numpy as np
import pytest

import zoo
from tests.golden_files import read_golden, write_golden_checkpoint
from zoo.imaging import label_maps
from zoo.labels import read_labels

VOC = read_labels("pascal-voc")


def logits_of(classes, count=21):
    """Logits whose largest value is at the class that each pixel of the nested list names."""
    return np.eye(count, dtype="float32")[np.array(classes)]


def test_the_labels_are_pascal_vocs():
    assert len(VOC) == 21
    assert VOC[0] == "background"
    assert [VOC[8], VOC[11], VOC[15], VOC[20]] == ["cat", "dining table", "person", "TV or monitor"]


def test_the_colors_are_pascal_vocs():
    expected = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 8: (64, 0, 0), 15: (192, 128, 128), 20: (0, 64, 128)}
    palette = label_maps.colors(256)
    assert {index: tuple(palette[index].tolist()) for index in expected} == expected
    assert palette.dtype == np.uint8
    assert len(np.unique(palette, axis=0)) == 256


def test_logits_are_enlarged_before_they_are_compared():
    # Between a pixel of class 1 and one of class 2, the border is where the two straight lines cross.
    logits = np.array([[[0, 3, 0], [0, 0, 1]]], "float32")
    np.testing.assert_array_equal(label_maps.label_map(logits, 2, 8), [[1, 1, 1, 1, 1, 2, 2, 2]] * 2)
    assert label_maps.label_map(logits, 2, 8).dtype == np.uint8
    assert label_maps.label_map(np.zeros((1, 1, 300), "float32"), 2, 2).dtype == np.uint16


def test_areas_stand_largest_first_and_sum_to_one():
    found = label_maps.areas(np.array([[0, 0, 15], [0, 8, 15]], "uint8"), VOC)
    assert [(entry["label"], entry["area"]) for entry in found] == [
        ("background", 0.5),
        ("person", 0.333333),
        ("cat", 0.166667),
    ]
    assert label_maps.areas(np.array([[2]]), None) == [{"index": 2, "label": None, "area": 1.0}]


def test_the_overlay_covers_objects_by_half_and_background_not_at_all():
    image = np.full((40, 60, 3), 201, "uint8")
    classes = np.zeros((40, 60), "uint8")
    classes[:, 30:] = 15
    overlay = label_maps.overlay(image, classes, label_maps.areas(classes, VOC))
    assert overlay.width == 60
    pixels = np.asarray(overlay)
    assert (pixels[:40, :30] == 201).all()
    assert (pixels[:40, 30:] == [100 + 96, 100 + 64, 100 + 64]).all()
    legend = pixels[40:]
    assert legend.size
    assert (legend == label_maps.colors(16)[15]).all(axis=-1).any()


def test_without_objects_there_is_no_legend():
    image = np.zeros((5, 7, 3), "uint8")
    classes = np.zeros((5, 7), "uint8")
    assert label_maps.overlay(image, classes, label_maps.areas(classes, VOC)).size == (7, 5)
    unnamed = label_maps.overlay(image, classes, label_maps.areas(classes, None))
    assert unnamed.height > 5  # a class without a name may be anything


def test_the_legend_breaks_lines_where_the_image_ends():
    classes = np.arange(21, dtype="uint8").reshape(3, 7).repeat(40, 0).repeat(40, 1)
    overlay = label_maps.overlay(np.zeros((120, 280, 3), "uint8"), classes, label_maps.areas(classes, VOC))
    assert overlay.width == 280
    assert overlay.height - 120 > 5 * 20  # 20 classes, fewer than four a line
    assert (np.asarray(overlay)[120:, -2:] == 255).all()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = write_golden_checkpoint("deeplabv3_mobilenet_v2", tmp_path_factory.mktemp("weights"))
    model = zoo.load("deeplabv3_mobilenet_v2", weights=path)
    model.spec = model.spec.model_copy(update={"input": model.spec.input.model_copy(update={"size": None})})
    return model


def test_predict_gives_map_areas_and_image(model):
    arrays, _ = read_golden("deeplabv3_mobilenet_v2")
    records = zoo.predict(model, arrays["images"])
    assert len(records) == 2
    for record, logits in zip(records, arrays["logits"], strict=True):
        assert (record["width"], record["height"]) == (129, 97)
        assert record.label_map.shape == (97, 129)
        assert record.label_map[0, 0] == logits[0, 0].argmax()
        assert sum(entry["area"] for entry in record["classes"]) == pytest.approx(1, abs=1e-4)
        best = record["classes"][0]
        assert best["area"] == pytest.approx((record.label_map == best["index"]).mean(), abs=1e-6)
        assert best["label"] == VOC[best["index"]]
        assert record.image.width == 129
        assert record.image.height > 97
        json.dumps(record)
