"""Anchors are torchvision's: those of an FPN, whose sizes are rounded, and SSD's default boxes."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import AnchorBoxes

SIZES = [(32.0, 16.0), (8.0, 8.0)]
INPUTS = [np.zeros((2, 96, 160, 3), "float32"), np.zeros((2, 6, 10, 4), "float32")]


@pytest.fixture(scope="module")
def golden():
    return np.load(Path(__file__).parents[1] / "golden" / "boxes.npz")


def test_anchors_of_a_pyramid_are_those_of_torchvision(golden):
    pairs = [
        [(2 * round(size / math.sqrt(ratio) / 2), 2 * round(size * math.sqrt(ratio) / 2)) for ratio in (0.5, 1, 2)
         for size in sizes]
        for sizes in ((32, 40), (64, 80))
    ]  # fmt: skip
    maps = [np.zeros((1, 6, 10, 8)), np.zeros((1, 2, 3, 8))]
    found = [AnchorBoxes(sizes)([INPUTS[0], places]) for sizes, places in zip(pairs, maps, strict=True)]
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(keras.ops.concatenate(found)), golden["anchors"])


def test_anchors_in_the_middle_of_their_cells_are_the_default_boxes_of_ssd(golden):
    image, scales, found = np.zeros((1, 300, 300, 3)), (0.07, 0.15, 0.33), []
    for level, (stride, side, ratios) in enumerate([(64, 5, [2]), (100, 3, [2, 3])]):
        sizes = [(scales[level],) * 2, (math.sqrt(scales[level] * scales[level + 1]),) * 2]
        for ratio in ratios:
            wide = (scales[level] * math.sqrt(ratio), scales[level] / math.sqrt(ratio))
            sizes += [wide, wide[::-1]]
        pixels = [(300 * width, 300 * height) for width, height in sizes]
        found.append(AnchorBoxes(pixels, offset=0.5, stride=stride)([image, np.zeros((1, side, side, 8))]))
    outputs = keras.ops.convert_to_numpy(keras.ops.concatenate(found))
    np.testing.assert_allclose(outputs, golden["default_boxes"], atol=1e-4)


def test_unknown_sizes_and_xla_change_nothing():
    layer = AnchorBoxes(SIZES, name="anchors")
    expected = promises.run(layer, INPUTS)
    assert expected[0].shape == (120, 4)
    model = promises.functional(layer, INPUTS, 2)
    assert model.output_shape == (None, 4)
    promises.assert_same(promises.run(model, INPUTS), expected)
    promises.compiles(layer, INPUTS, None)


def test_it_is_saved_and_loaded(tmp_path):
    promises.saves_and_loads(AnchorBoxes(SIZES, 0.5, 16), INPUTS, tmp_path)


@pytest.mark.parametrize("sizes", [[32], [(32, 16, 8)]])
def test_sizes_that_are_not_pairs_are_named(sizes):
    with pytest.raises(InputError, match="`sizes` must be pairs"):
        AnchorBoxes(sizes)
