"""Boxes are written and read as torchvision's `BoxCoder` and `BoxLinearCoder` do, and compared as its `box_iou`."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import DecodeBoxes, box_geometry

SCALES = (10.0, 10.0, 5.0, 5.0)


@pytest.fixture(scope="module")
def golden():
    return np.load(Path(__file__).parents[1] / "golden" / "boxes.npz")


def inputs():
    return [
        promises.numbers(0, (2, 3, 4)) / 16,
        np.array([[2, 3, 10, 9], [0, 0, 4, 4], [1, 8, 3, 12]], "float32"),
        np.zeros((2, 11, 9, 1), "float32"),
    ]


def test_offsets_are_those_of_torchvision(golden):
    layer = DecodeBoxes(scales=SCALES, clip=False)
    outputs = promises.run(layer, [golden["codes"][None], golden["boxes"], np.zeros((1, 9, 9, 3), "float32")])[0][0]
    np.testing.assert_allclose(outputs, golden["decoded"], rtol=1e-5, atol=1e-3)
    half = len(golden["boxes"]) // 2
    encoded = box_geometry.encode_offsets(
        *map(keras.ops.array, (golden["boxes"][half:], golden["boxes"][:half])), SCALES
    )
    np.testing.assert_allclose(keras.ops.convert_to_numpy(encoded), golden["encoded"], rtol=1e-4, atol=1e-4)


def test_distances_are_those_of_torchvision(golden):
    layer = DecodeBoxes("distances", clip=False)
    image = np.zeros((1, 9, 9, 3), "float32")
    outputs = promises.run(layer, [abs(golden["codes"])[None], golden["boxes"], image])[0][0]
    np.testing.assert_allclose(outputs, golden["decoded_distances"], rtol=1e-5, atol=1e-3)
    half = len(golden["boxes"]) // 2
    anchors, boxes = golden["boxes"][:half], golden["boxes"][half:]
    encoded = box_geometry.encode_distances(keras.ops.array(boxes), keras.ops.array(anchors))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(encoded), golden["distances"], rtol=1e-4, atol=1e-4)


def test_overlaps_are_those_of_torchvision(golden):
    boxes, others = golden["boxes"][:20, None], golden["boxes"][None, 20:50]
    for name, function in (
        ("iou", box_geometry.intersection_over_union),
        ("giou", box_geometry.generalized_intersection_over_union),
    ):
        found = function(keras.ops.array(boxes), keras.ops.array(others))
        np.testing.assert_allclose(keras.ops.convert_to_numpy(found), golden[name], atol=1e-5)


def test_boxes_without_area_overlap_nothing():
    empty, box = keras.ops.array([[3.0, 3, 3, 3]]), keras.ops.array([[0.0, 0, 5, 5]])
    assert float(box_geometry.intersection_over_union(empty, box)[0]) == 0
    assert float(box_geometry.intersection_over_union(empty, empty)[0]) == 0


def test_boxes_end_at_the_border_and_are_not_enlarged_without_bound():
    far = np.array([[[0, 0, 80, 80]]], "float32")
    anchors, image = np.array([[4, 4, 6, 6]], "float32"), np.zeros((1, 20, 30, 3), "float32")
    assert promises.run(DecodeBoxes(), [far, anchors, image])[0].tolist() == [[[0, 0, 30, 20]]]
    whole = promises.run(DecodeBoxes(clip=False), [far, anchors, image])[0]
    np.testing.assert_allclose(whole[0, 0], [5 - 62.5, 5 - 62.5, 5 + 62.5, 5 + 62.5], rtol=1e-5)


def test_unknown_sizes_and_xla_change_nothing(tmp_path):
    layer = DecodeBoxes("distances")
    expected = promises.run(layer, inputs())
    symbols = [keras.Input((None, 4)), keras.Input(batch_shape=(None, 4)), keras.Input((None, None, 1))]
    model = keras.Model(symbols, layer(symbols))
    assert model.output_shape == (None, None, 4)
    promises.assert_same(promises.run(model, inputs()), expected)
    promises.compiles(layer, inputs(), tmp_path)
    model.save(tmp_path / "model.keras")
    promises.assert_same(promises.run(keras.saving.load_model(tmp_path / "model.keras"), inputs()), expected)


def test_an_unknown_code_is_named():
    with pytest.raises(InputError, match="`code` must be one of"):
        DecodeBoxes("corners")


def test_scales_that_are_not_four_are_named():
    with pytest.raises(InputError, match="`scales` must be of x, y, width and height"):
        DecodeBoxes(scales=(10.0, 5.0))
