"""The places of the maps are those of the model, and each stands for the object that the papers' rules say."""

import keras
import numpy as np
import pytest

from tests.training.small_tasks import detector
from zoo import architectures
from zoo.training.detectors import BACKGROUND, IGNORED
from zoo.training.detectors.places import as_targets, match_by_overlap, overlaps, pyramid_places


@pytest.mark.parametrize("decoder", ["efficientdet", "fcos", "retinanet"])
@pytest.mark.parametrize(("side", "options"), [(96, {}), (160, {}), (100, {"pad_to": 64}), (96, {"strides": (8, 16)})])
def test_they_are_the_anchors_of_the_model(decoder, side, options):
    described = detector(decoder, side, **options)
    model = architectures.build(described, input_shape=(side, side, 3))
    layers = [model.get_layer(f"decoder-anchors-{index}") for index in range(len(pyramid_places(described)))]
    anchors = keras.Model(model.input, [layer.output for layer in layers])(np.zeros((1, side, side, 3), "uint8"))
    found = pyramid_places(described)
    for expected, boxes in zip(anchors, found, strict=True):
        np.testing.assert_array_equal(boxes, keras.ops.convert_to_numpy(expected))
    assert sum(map(len, found)) == model.output["cls_logits"].shape[1]


def test_overlaps_by_hand():
    boxes, others = np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 0, 15, 10], [20, 20, 30, 30], [0, 0, 10, 10]])
    np.testing.assert_allclose(overlaps(boxes, others), [[1 / 3, 0, 1]])


def test_a_place_stands_for_what_it_overlaps_and_each_box_has_one():
    places = np.array([[0.0, 0, 10, 10], [0, 0, 10, 4.5], [0, 0, 10, 3], [50, 50, 60, 60]])
    boxes = np.array([[0.0, 0, 10, 10], [52, 50, 92, 90]])  # the second overlaps no place by half
    numbers = match_by_overlap(places, boxes, above=0.5, below=0.4)
    assert numbers.tolist() == [0, IGNORED, BACKGROUND, 1]


def test_a_box_that_no_place_touches_has_none():
    numbers = match_by_overlap(np.array([[0.0, 0, 4, 4]]), np.array([[8.0, 8, 9, 9]]), above=0.5, below=0.4)
    assert numbers.tolist() == [BACKGROUND]


def test_places_in_a_crowd_are_neither_object_nor_background():
    places = np.array([[0.0, 0, 10, 10], [0, 0, 4, 4], [20, 0, 30, 10]])
    target = as_targets(places, np.array([0, -1, -1]), np.array([[0.0, 0, 9, 9]]), np.array([2]), [[0, 0, 12, 12]])
    assert target[:, 0].tolist() == [2, IGNORED, BACKGROUND]
    np.testing.assert_array_equal(target[:, 1:], [[0, 0, 9, 9], *places[1:]])
