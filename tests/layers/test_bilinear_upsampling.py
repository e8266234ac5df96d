"""Bilinear enlargement: Keras' own numbers, for sizes that are not known."""

import keras
import numpy as np
import pytest

from zoo.layers import BilinearUpSampling2D

IMAGE = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype("float32")


@pytest.mark.parametrize("size", [1, 2, 3, 8, 32])
def test_gives_what_keras_gives(size):
    expected = keras.layers.UpSampling2D(size, interpolation="bilinear")(IMAGE)
    np.testing.assert_allclose(BilinearUpSampling2D(size)(IMAGE), expected, atol=2e-5)


def test_a_constant_stays_constant_up_to_the_border():
    np.testing.assert_allclose(BilinearUpSampling2D(4)(np.full((1, 2, 3, 1), 7.0, "float32")), 7.0, rtol=1e-6)


def test_survives_saving(tmp_path):
    model = keras.Sequential([keras.Input((None, None, 4)), BilinearUpSampling2D(3)])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(IMAGE), model(IMAGE))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a graph of TensorFlow")
def test_is_traced_without_a_known_size():
    import tensorflow as tf

    traced = tf.function(BilinearUpSampling2D(2), autograph=False)
    assert traced.get_concrete_function(tf.TensorSpec((None, None, None, 4))).output_shapes.as_list()[-1] == 4
