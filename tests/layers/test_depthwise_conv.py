import keras
import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import DepthwiseConv2D, GlorotUniformPerChannel

CASES = {
    "DepthwiseConv2D": (lambda: DepthwiseConv2D(3, padding="same"), lambda: [promises.numbers(0, (2, 5, 4, 3)) / 16])
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


@pytest.mark.parametrize(("strides", "padding", "multiplier"), [(1, "same", 1), (2, "valid", 2)])
def test_followed_by_a_1x1_convolution_it_is_a_separable_convolution(strides, padding, multiplier):
    image = promises.numbers(1, (2, 7, 6, 3))
    separable = keras.layers.SeparableConv2D(5, 3, strides, padding, depth_multiplier=multiplier)
    (expected,) = promises.run(separable, [image])
    depthwise = DepthwiseConv2D(3, strides, padding, depth_multiplier=multiplier, use_bias=False)
    pointwise = keras.layers.Conv2D(5, 1)
    depthwise.build(image.shape)
    pointwise.build((None, None, None, 3 * multiplier))
    kernel, point, bias = separable.get_weights()
    depthwise.set_weights([kernel])
    pointwise.set_weights([point, bias])
    promises.assert_same(promises.run(lambda x: pointwise(depthwise(x)), [image]), [expected])


def test_the_default_initializer_counts_one_channel():
    layer = DepthwiseConv2D(3, depth_multiplier=2)
    layer.build((None, 8, 8, 256))
    kernel = layer.get_weights()[0]
    limit = (6 / (9 + 18)) ** 0.5
    assert np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / 3**0.5, rel=0.05)


def test_a_seed_and_another_initializer_are_kept():
    a, b = (keras.ops.convert_to_numpy(GlorotUniformPerChannel(seed=3)((3, 3, 4, 1))) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    config = DepthwiseConv2D(3, depthwise_initializer="zeros").get_config()
    assert config["depthwise_initializer"]["class_name"] == "Zeros"
    assert GlorotUniformPerChannel.from_config(GlorotUniformPerChannel(seed=3).get_config()).seed == 3


def test_a_kernel_of_size_0_is_refused():
    with pytest.raises(ValueError, match="kernel_size"):
        DepthwiseConv2D(0)


def test_a_shape_that_is_not_a_kernel_is_named():
    with pytest.raises(InputError, match="kernel must have shape"):
        GlorotUniformPerChannel()((3, 3))
