"""Convolution that keeps the variance of its input."""

import keras
import numpy as np

from tests.layers import promises
from zoo.layers import ScaledStandardizedConv2D

CASES = {
    "ScaledStandardizedConv2D": (
        lambda: ScaledStandardizedConv2D(
            4, 3, padding="same", scale=1.7, kernel_initializer=keras.initializers.RandomNormal(seed=0)
        ),
        lambda: [promises.numbers(0, (2, 5, 4, 3)) / 8],
    )
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


def test_it_convolves_with_the_scaled_kernel():
    image = promises.numbers(0, (2, 5, 4, 3))
    layer = ScaledStandardizedConv2D(4, 3, scale=1.5, epsilon=0.01, use_bias=False)
    layer.build(image.shape)
    kernel, gain = promises.numbers(1, (3, 3, 3, 4)), np.array([0.5, 1.0, 2.0, -1.0])
    layer.kernel.assign(kernel)
    layer.gain.assign(gain.reshape(4, 1, 1, 1))
    plain = keras.layers.Conv2D(4, 3, use_bias=False)
    plain.build(image.shape)
    standard = (kernel - kernel.mean((0, 1, 2))) / np.sqrt(kernel.var((0, 1, 2)) + 0.01)
    plain.set_weights([standard * gain * 1.5 / np.sqrt(27)])
    promises.assert_same(promises.run(layer, [image]), promises.run(plain, [image]))


def test_normal_inputs_keep_their_variance():
    image = np.random.default_rng(0).normal(size=(1, 32, 32, 64)).astype("float32")
    (outputs,) = promises.run(ScaledStandardizedConv2D(64, 3), [image])
    assert abs(outputs.var() - 1) < 0.1
