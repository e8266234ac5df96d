"""Convolution with a standardised kernel."""

import keras
import numpy as np

from tests.layers import promises
from zoo.layers import StandardizedConv2D

CASES = {
    "StandardizedConv2D": (
        lambda: StandardizedConv2D(
            4, 3, strides=2, padding="same", kernel_initializer=keras.initializers.RandomNormal(seed=0)
        ),
        lambda: [promises.numbers(0, (2, 5, 4, 3)) / 8],
    )
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


def test_it_convolves_with_the_standardised_kernel():
    image = promises.numbers(0, (2, 5, 4, 6))
    layer = StandardizedConv2D(4, 3, groups=2, epsilon=0.01)
    layer.build(image.shape)
    kernel = promises.numbers(1, (3, 3, 3, 4))
    layer.set_weights([kernel, np.arange(4.0)])
    plain = keras.layers.Conv2D(4, 3, groups=2)
    plain.build(image.shape)
    standard = (kernel - kernel.mean((0, 1, 2))) / np.sqrt(kernel.var((0, 1, 2)) + 0.01)
    plain.set_weights([standard, np.arange(4.0)])
    promises.assert_same(promises.run(layer, [image]), promises.run(plain, [image]))
