"""ESPCN: the paper's size, its shapes, and the bicubic enlargement underneath."""

import keras
import numpy as np
import pytest
from PIL import Image

from zoo.architectures.enlargement import luma
from zoo.architectures.espcn import espcn


def build(scale, **arguments):
    inputs = keras.Input((None, None, 3), name="image")
    return keras.Model(inputs, espcn(inputs, scale=scale, **arguments))


def image(height=19, width=14):
    # Far from black and white: the overshoot of the cubic is not clipped.
    return np.random.default_rng(0).integers(80, 176, (height, width, 3), "uint8")


@pytest.mark.parametrize(("scale", "parameters"), [(2, 21_284), (3, 22_729), (4, 24_752)])
def test_parameters_are_those_of_the_paper(scale, parameters):
    # 5*5*1*64 + 64, 3*3*64*32 + 32, 3*3*32*scale² + scale²
    assert build(scale).count_params() == parameters


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_it_enlarges_images_of_any_size(scale):
    model = build(scale)
    assert model.output_shape == (None, None, None, 3)
    for height, width in ((7, 12), (16, 9)):
        outputs = model(np.zeros((2, height, width, 3), "float32"))
        assert tuple(outputs.shape) == (2, scale * height, scale * width, 3)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_without_weights_it_is_the_bicubic_enlargement(scale):
    small = image()
    model = build(scale)
    for variable in model.variables:
        variable.assign(np.zeros(variable.shape, "float32"))
    outputs = model.predict(small[None].astype("float32") / 255, verbose=0)[0]
    size = (small.shape[1] * scale, small.shape[0] * scale)
    expected = np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BICUBIC), "float32")
    # One level, on the border too: Pillow rounds after the rows and again after the columns.
    np.testing.assert_allclose(np.rint(outputs), expected, atol=1.0)


def test_only_the_luma_is_enhanced():
    small = image()[None].astype("float32") / 255
    model = build(2, filters=(8,))
    plain = model.predict(small, verbose=0)  # the last convolution starts at zero
    model.get_layer("subpixel-conv").bias.assign(np.array([0.01, 0.02, 0.03, 0.04], "float32"))
    difference = model.predict(small, verbose=0) - plain
    levels = np.array([[2.55, 5.1], [7.65, 10.2]])[None, :, :, None]
    np.testing.assert_allclose(difference[:, :2, :2], levels.repeat(3, axis=-1), atol=1e-3)


def test_luma_is_that_of_bt_601():
    colours = np.array([[[[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]]], "float32")
    np.testing.assert_allclose(np.array(luma(colours))[0, 0, :, 0], [0.299, 0.587, 0.114, 1.0], rtol=1e-6)


def test_save_and_load(tmp_path):
    model = build(3, filters=(8, 8, 4))
    assert [variable.path for variable in model.variables][:2] == ["feature-conv1/kernel", "feature-conv1/bias"]
    model.save(tmp_path / "espcn.keras")
    small = image()[None].astype("float32") / 255
    reloaded = keras.saving.load_model(tmp_path / "espcn.keras")
    np.testing.assert_array_equal(reloaded.predict(small, verbose=0), model.predict(small, verbose=0))
