"""Bicubic enlargement: against the cubic by hand, and against Pillow."""

import keras
import numpy as np
import pytest
from PIL import Image

from zoo.errors import InputError
from zoo.layers import BicubicUpSampling2D


def noise(height, width, channels):
    return np.random.default_rng(0).uniform(0, 255, (1, height, width, channels)).astype("float32")


def test_an_impulse_becomes_the_cubic_at_quarter_pixels():
    impulse = np.zeros((1, 9, 9, 1), "float32")
    impulse[0, 4, 4, 0] = 128.0**2
    outputs = keras.ops.convert_to_numpy(BicubicUpSampling2D(2)(impulse))[0, 4:14, 4:14, 0]
    row = np.array([0, -3, -9, 29, 111, 111, 29, -9, -3, 0])  # 128 times Keys' cubic at 2.25, 1.75, 1.25, 0.75, 0.25
    np.testing.assert_allclose(outputs, np.outer(row, row), atol=1e-3)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_it_equals_pillow_up_to_the_border(size):
    image = noise(13, 8, 3)
    outputs = keras.ops.convert_to_numpy(BicubicUpSampling2D(size)(image))[0]
    for channel in range(3):
        plane = Image.fromarray(image[0, ..., channel])  # 32-bit: nothing is rounded
        expected = np.asarray(plane.resize((8 * size, 13 * size), Image.Resampling.BICUBIC))
        np.testing.assert_allclose(outputs[..., channel], expected, atol=1e-3)


def test_a_constant_image_stays_constant():
    np.testing.assert_allclose(BicubicUpSampling2D(3)(np.full((2, 4, 5, 2), 7.0, "float32")), 7.0, rtol=1e-6)


def test_unknown_sizes_and_save_and_load(tmp_path):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, BicubicUpSampling2D(3)(inputs))
    assert model.output_shape == (None, None, None, 3)
    model.save(tmp_path / "model.keras")
    image = noise(6, 7, 3)
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    assert reloaded.layers[-1].size == 3
    np.testing.assert_array_equal(reloaded.predict(image, verbose=0), model.predict(image, verbose=0))


@pytest.mark.parametrize("size", [0, 1.5])
def test_a_size_that_is_not_a_positive_int_is_refused(size):
    with pytest.raises(InputError, match="`size` must be an int of at least 1"):
        BicubicUpSampling2D(size)
