"""Division by the standard deviation over the channels."""

import keras
import numpy as np
import pytest

from zoo.errors import InputError
from zoo.layers import SimpleNorm


def test_two_channels_by_hand():
    layer = SimpleNorm(epsilon=0.0)
    outputs = layer(np.array([[1.0, 3.0], [5.0, 1.0]], "float32"))  # unbiased variances 2 and 8, means left in
    root = np.sqrt(2.0)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(outputs), [[1 / root, 3 / root], [2.5 / root, 0.5 / root]], rtol=1e-6
    )


@pytest.mark.parametrize("shape", [(2, 6), (2, 9, 6), (2, 4, 5, 6)])
def test_each_position_is_divided_by_the_unbiased_deviation_of_its_channels(shape):
    rng = np.random.default_rng(0)
    inputs, gamma = rng.normal(size=shape).astype("float32"), rng.normal(size=6)
    layer = SimpleNorm()
    layer.build(shape)
    layer.gamma.assign(gamma)
    expected = inputs * gamma / np.sqrt(inputs.var(axis=-1, ddof=1, keepdims=True) + 1e-6)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(inputs)), expected, atol=1e-5)


def test_the_configuration_is_kept():
    layer = SimpleNorm(1e-3, name="norm")
    again = SimpleNorm.from_config(layer.get_config())
    assert (again.epsilon, again.name) == (1e-3, "norm")
    assert layer.compute_output_shape((None, None, None, 7)) == (None, None, None, 7)


def test_one_channel_is_refused():
    with pytest.raises(InputError, match="one channel has no deviation"):
        SimpleNorm()(np.ones((2, 4, 1)))
