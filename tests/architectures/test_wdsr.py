"""WDSR-A: the paper's blocks, its shapes, and its place on the bicubic enlargement."""

import keras
import numpy as np
import pytest

from zoo.architectures.wdsr import luma_detail, wdsr


def build(scale, **arguments):
    inputs = keras.Input((None, None, 3), name="image")
    return keras.Model(inputs, wdsr(inputs, scale=scale, **arguments))


def test_its_blocks_are_wide_where_the_activation_is():
    model = build(2, depth=3, filters=4, expansion=5)
    for index in range(3):
        wide, narrow = (model.get_layer(f"body-{index}-conv{number}") for number in (1, 2))
        assert (wide.filters, narrow.filters) == (20, 4)
        assert wide.activation is keras.activations.relu
        assert narrow.activation is keras.activations.linear


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_it_enlarges_images_of_any_size(scale):
    model = build(scale, depth=1)
    assert model.output_shape == (None, None, None, 3)
    for height, width in ((7, 12), (1, 1)):
        outputs = model(np.zeros((2, height, width, 3), "float32"))
        assert tuple(outputs.shape) == (2, scale * height, scale * width, 3)


@pytest.mark.parametrize("scale", [2, 3])
def test_untrained_it_is_the_bicubic_enlargement(scale):
    model = build(scale, depth=1)
    bicubic = keras.Model(model.input, model.get_layer("bicubic").output)
    image = np.random.default_rng(0).uniform(size=(1, 9, 6, 3)).astype("float32")
    np.testing.assert_allclose(model(image), 255 * np.array(bicubic(image)), rtol=1e-6)


def test_its_skip_is_a_linear_filter_whose_detail_lies_where_the_pixel_is():
    inputs = keras.Input((None, None, 1))
    model = keras.Model(inputs, luma_detail(inputs, scale=3, depth=1, filters=2))
    kernel = np.zeros((5, 5, 1, 9))
    kernel[2, 2, 0] = np.arange(1, 10)
    model.get_layer("skip").kernel.assign(kernel)
    point = np.zeros((1, 5, 4, 1), "float32")
    point[0, 2, 1] = 1
    detail = np.array(model(point))[0, :, :, 0]
    np.testing.assert_allclose(detail[6:9, 3:6], np.arange(1, 10).reshape(3, 3))
    assert np.count_nonzero(detail) == 9
