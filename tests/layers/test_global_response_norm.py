"""Response normalisation by hand and from its definition."""

import keras
import numpy as np
import pytest

from zoo.layers import GlobalResponseNorm


def test_two_channels_by_hand():
    image = np.array([[3.0, 1.0], [4.0, 0.0]], "float32").reshape(1, 1, 2, 2)  # norms 5 and 1, their mean 3
    layer = GlobalResponseNorm(epsilon=0.0)
    layer.build(image.shape)
    layer.gamma.assign([3.0, 6.0])
    layer.beta.assign([0.0, 10.0])
    outputs = keras.ops.convert_to_numpy(layer(image))[0, 0]
    np.testing.assert_allclose(outputs, [[3 + 3 * 3 * 5 / 3, 1 + 1 * 6 / 3 + 10], [4 + 4 * 3 * 5 / 3, 10]], rtol=1e-6)


@pytest.mark.parametrize("shape", [(2, 9, 6), (2, 4, 5, 6), (2, 2, 3, 4, 6)])
def test_the_norm_is_over_all_of_space(shape):
    rng = np.random.default_rng(0)
    inputs, gamma, beta = rng.normal(size=shape), rng.normal(size=6), rng.normal(size=6)
    norm = np.sqrt((inputs**2).sum(axis=tuple(range(1, len(shape) - 1)), keepdims=True))
    expected = inputs + gamma * inputs * norm / (norm.mean(axis=-1, keepdims=True) + 1e-6) + beta
    layer = GlobalResponseNorm()
    layer.build(shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    outputs = keras.ops.convert_to_numpy(layer(inputs.astype("float32")))
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_it_starts_as_the_identity_and_keeps_zeros_finite():
    image = np.zeros((1, 3, 3, 4), "float32")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(GlobalResponseNorm()(image)), image)


def test_half_precision_does_not_overflow():
    layer = GlobalResponseNorm(dtype="float16")
    image = np.full((1, 8, 8, 2), 200.0, "float16")  # the sum of squares is beyond float16
    layer.build(image.shape)
    layer.gamma.assign([1.0, 1.0])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(image)).astype("float32"), 400.0, rtol=1e-3)


def test_a_map_of_zeros_has_finite_gradients():
    layer = GlobalResponseNorm()
    model = keras.Sequential([keras.Input((3, 3, 2)), keras.layers.Conv2D(2, 1), layer])
    model.layers[0].kernel.assign(np.zeros((1, 1, 2, 2)))
    layer.gamma.assign([1.0, 1.0])
    model.compile("sgd", "mse")
    model.fit(np.ones((1, 3, 3, 2), "float32"), np.ones((1, 3, 3, 2), "float32"), verbose=0)
    assert all(np.isfinite(keras.ops.convert_to_numpy(weight)).all() for weight in model.weights)


def test_the_configuration_is_kept():
    layer = GlobalResponseNorm(1e-3, name="grn")
    again = GlobalResponseNorm.from_config(layer.get_config())
    assert (again.epsilon, again.name) == (1e-3, "grn")
    assert layer.compute_output_shape((None, None, None, 7)) == (None, None, None, 7)
