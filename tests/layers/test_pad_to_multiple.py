"""Padding to sides that are halved evenly."""

import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import PadToMultiple2D

CASES = {
    "PadToMultiple2D": (lambda: PadToMultiple2D(4), lambda: [promises.numbers(0, (2, 5, 8, 3)) / 8]),
    "with a number": (lambda: PadToMultiple2D(4, value=2.0), lambda: [promises.numbers(0, (2, 5, 8, 3)) / 8]),
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 8), (8, 7), (9, 3)])
def test_the_last_row_and_column_are_repeated(height, width):
    image = np.random.default_rng(0).random((1, height, width, 2), "float32")
    bottom, right = -height % 4, -width % 4
    expected = np.pad(image, ((0, 0), (0, bottom), (0, right), (0, 0)), mode="edge")
    (outputs,) = promises.run(PadToMultiple2D(4), [image])
    np.testing.assert_array_equal(outputs, expected)


def test_a_number_is_repeated():
    image = np.random.default_rng(0).random((1, 5, 8, 2), "float32")
    expected = np.pad(image, ((0, 0), (0, 3), (0, 0), (0, 0)), constant_values=0.25)
    (outputs,) = promises.run(PadToMultiple2D(4, value=0.25), [image])
    np.testing.assert_array_equal(outputs, expected)


@pytest.mark.parametrize("multiple", [0, (2, 3), 2.0])
def test_a_multiple_that_is_not_a_number_from_one_is_named(multiple):
    with pytest.raises(InputError, match="`multiple` must be an int"):
        PadToMultiple2D(multiple)
