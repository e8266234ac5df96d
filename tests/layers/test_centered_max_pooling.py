"""Centred max pooling: by hand, at the border, and where Keras' own differs."""

import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import CenteredMaxPooling2D

CASES = {
    "even and odd": (lambda: CenteredMaxPooling2D(3, 2), lambda: [promises.numbers(0, (2, 6, 7, 3))]),
    "odd": (lambda: CenteredMaxPooling2D(3, 2), lambda: [promises.numbers(2, (2, 5, 7, 3))]),
    "steps per axis": (lambda: CenteredMaxPooling2D(5, (2, 3)), lambda: [promises.numbers(1, (2, 9, 8, 1))]),
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


@pytest.mark.parametrize(("width", "expected"), [(6, [-1, -2, -4]), (7, [-1, -2, -4, -6])])
def test_windows_stand_on_even_pixels_and_see_nothing_outside(width, expected):
    row = -np.arange(1, width + 1, dtype="float32")  # negative: a border of zeros would win
    (outputs,) = promises.run(CenteredMaxPooling2D(3, strides=2), [row.reshape(1, 1, -1, 1)])
    np.testing.assert_array_equal(outputs[0, 0, :, 0], expected)


def test_it_is_the_largest_neighbour_of_each_kept_pixel():
    image = np.random.default_rng(0).normal(size=(2, 9, 8, 3)).astype("float32")
    (outputs,) = promises.run(CenteredMaxPooling2D(5, strides=(2, 3)), [image])
    assert outputs.shape == (2, 5, 3, 3)
    for y, x in np.ndindex(5, 3):
        neighbours = image[:, max(2 * y - 2, 0) : 2 * y + 3, max(3 * x - 2, 0) : 3 * x + 3]
        np.testing.assert_array_equal(outputs[:, y, x], neighbours.max(axis=(1, 2)))


def test_nothing_is_copied_where_the_windows_of_same_are_centred(monkeypatch):
    image = promises.numbers(3, (1, 7, 10, 2))
    layer = CenteredMaxPooling2D(5, strides=(2, 3))
    (expected,) = promises.run(layer, [np.pad(image, ((0, 0), (0, 2), (0, 3), (0, 0)), constant_values=-1e9)])
    monkeypatch.setattr("keras.ops.pad", None)
    (outputs,) = promises.run(layer, [image])
    np.testing.assert_array_equal(outputs, expected[:, :4, :4])


@pytest.mark.parametrize("pool_size", [2, 0, 1.5])
def test_a_window_without_a_centre_is_refused(pool_size):
    with pytest.raises(InputError, match="`pool_size` must be an odd int"):
        CenteredMaxPooling2D(pool_size)


def test_no_step_is_refused():
    with pytest.raises(InputError, match="`strides` must be an int or 2 ints of at least 1"):
        CenteredMaxPooling2D(3, strides=0)
