"""Convolution whose kernel is mixed anew for each image."""

import keras
import numpy as np
import pytest

from tests.layers import promises
from zoo.layers import ConditionalConv2D

SHARES = np.array([[0.5, 0.25, 1.0], [1.0, 0.0, 0.5]], "float32")
CASES = {
    "ConditionalConv2D": (
        lambda: ConditionalConv2D(4, 3, experts=3, strides=2),
        lambda: [promises.numbers(0, (2, 5, 4, 3)) / 8, SHARES],
    ),
    "ConditionalConv2D depthwise": (
        lambda: ConditionalConv2D(None, 3, experts=3, padding="valid"),
        lambda: [promises.numbers(0, (2, 5, 4, 3)) / 8, SHARES],
    ),
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    if promise in (promises.takes_unknown_sizes, promises.saves_and_loads, promises.takes_channels_first):
        pytest.skip("the shares have no positions: see below")
    if promise is promises.works_inside_a_saved_model:
        pytest.skip("the shares have no positions")
    promise(make(), inputs(), tmp_path)


@pytest.mark.parametrize(("size", "depthwise"), [(3, False), (1, False), (3, True)])
def test_each_image_is_convolved_with_its_mixture(size, depthwise):
    image = promises.numbers(0, (2, 5, 4, 3))
    layer = ConditionalConv2D(None if depthwise else 4, size, experts=3)
    layer.build([image.shape, SHARES.shape])
    bank = promises.numbers(1, layer.weight.shape) / 8
    layer.weight.assign(bank)
    outputs = promises.run(layer, [image, SHARES])[0]
    for index in range(2):
        mixture = np.tensordot(SHARES[index], bank, 1).reshape(3 if depthwise else 4, 1 if depthwise else 3, size, size)
        plain = keras.layers.DepthwiseConv2D if depthwise else keras.layers.Conv2D
        plain = plain(*([size] if depthwise else [4, size]), padding="same", use_bias=False)
        plain.build((1, 5, 4, 3))
        plain.set_weights([mixture.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))])
        promises.assert_same([outputs[index : index + 1]], promises.run(plain, [image[index : index + 1]]))


def test_it_is_part_of_a_model_for_images_of_any_size(tmp_path):
    image, shares = keras.Input((None, None, 3)), keras.Input((3,))
    model = keras.Model([image, shares], ConditionalConv2D(4, 3, experts=3, strides=2)([image, shares]))
    assert model.output_shape == (None, None, None, 4)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    inputs = [promises.numbers(0, (2, 5, 4, 3)), SHARES]
    expected = keras.ops.convert_to_numpy(model(inputs))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(again(inputs)), expected, rtol=1e-5)
    first = ConditionalConv2D(4, 3, experts=3, strides=2, data_format="channels_first")
    first.build([(2, 3, 5, 4), (2, 3)])
    first.set_weights(model.get_weights())
    moved = keras.ops.convert_to_numpy(first([inputs[0].transpose(0, 3, 1, 2), SHARES]))
    np.testing.assert_allclose(moved.transpose(0, 2, 3, 1), expected, rtol=1e-4, atol=1e-5)
