"""A factor for each channel."""

import keras
import numpy as np
import pytest

from zoo.layers import LayerScale


@pytest.mark.parametrize("shape", [(2, 3), (2, 5, 3), (2, 4, 5, 3), (2, 2, 4, 5, 3)])
def test_each_channel_is_multiplied_by_its_factor(shape):
    inputs = np.random.default_rng(0).normal(size=shape).astype("float32")
    layer = LayerScale(0.5)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(inputs)), 0.5 * inputs)
    layer.gamma.assign([1.0, 0.0, -2.0])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(inputs)), inputs * [1, 0, -2], rtol=1e-6)


def test_a_bias_is_added_to_what_was_multiplied():
    inputs = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype("float32")
    layer = LayerScale(2.0, use_bias=True)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(inputs)), 2 * inputs)
    layer.beta.assign([1.0, 0.0, -2.0])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(inputs)), 2 * inputs + [1, 0, -2], rtol=1e-5)


def test_the_configuration_is_kept():
    layer = LayerScale(0.25, use_bias=True, name="scale")
    again = LayerScale.from_config(layer.get_config())
    assert (again.initial_value, again.use_bias, again.name) == (0.25, True, "scale")
    assert layer.compute_output_shape((None, None, 7)) == (None, None, 7)
