"""Centred max pooling: by hand, at the border, and where Keras' own differs."""

import keras
import numpy as np
import pytest

from zoo.errors import InputError
from zoo.layers import CenteredMaxPooling2D


@pytest.mark.parametrize(("width", "expected"), [(6, [-1, -2, -4]), (7, [-1, -2, -4, -6])])
def test_windows_stand_on_even_pixels_and_see_nothing_outside(width, expected):
    row = -np.arange(1, width + 1, dtype="float32")  # negative: a border of zeros would win
    outputs = CenteredMaxPooling2D(3, strides=2)(row.reshape(1, 1, -1, 1))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(outputs)[0, 0, :, 0], expected)


def test_it_is_the_largest_neighbour_of_each_kept_pixel():
    image = np.random.default_rng(0).normal(size=(2, 9, 8, 3)).astype("float32")
    outputs = keras.ops.convert_to_numpy(CenteredMaxPooling2D(5, strides=(2, 3))(image))
    assert outputs.shape == (2, 5, 3, 3)
    for y, x in np.ndindex(5, 3):
        neighbours = image[:, max(2 * y - 2, 0) : 2 * y + 3, max(3 * x - 2, 0) : 3 * x + 3]
        np.testing.assert_array_equal(outputs[:, y, x], neighbours.max(axis=(1, 2)))


def test_unknown_sizes_and_save_and_load(tmp_path):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, CenteredMaxPooling2D(3, strides=2)(inputs))
    assert model.output_shape == (None, None, None, 3)
    model.save(tmp_path / "model.keras")
    image = np.random.default_rng(0).normal(size=(1, 6, 7, 3)).astype("float32")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(reloaded.predict(image, verbose=0), model.predict(image, verbose=0))


@pytest.mark.parametrize("pool_size", [2, 0, 1.5])
def test_a_window_without_a_centre_is_refused(pool_size):
    with pytest.raises(InputError, match="`pool_size` must be an odd int"):
        CenteredMaxPooling2D(pool_size)


def test_no_step_is_refused():
    with pytest.raises(InputError, match="`strides` must be an int or 2 ints of at least 1"):
        CenteredMaxPooling2D(3, strides=0)
