"""BlurNet: its size, the blur between pooling and subsampling, its twin without, and maps of any size."""

import keras
import numpy as np
import pytest

from zoo.architectures.blurnet import blurnet, downsample
from zoo.layers import Blur2D

TWINS = [3, 1]


def build(**arguments):
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, blurnet(image, **{"num_classes": 10, **arguments}))


def images(height=19, width=16):
    return np.random.default_rng(0).normal(size=(2, height, width, 3)).astype("float32")


@pytest.mark.parametrize("blur", TWINS)
def test_the_twins_have_the_same_parameters(blur):
    # 9 * (3*16 + 16*32 + 32*64 + 64*64); four a channel of the norms; 64*10 + 10
    assert build(blur=blur).count_params() == 9 * 6704 + 4 * 176 + 650


def test_the_weights_of_one_fit_the_other():
    blurred, plain = build(blur=3), build(blur=1)
    assert [(v.path, v.shape) for v in blurred.variables] == [(v.path, v.shape) for v in plain.variables]


def test_the_blur_stands_between_pooling_and_subsampling():
    x = keras.Input((None, None, 3))
    spread = np.zeros((1, 8, 8, 3), "float32")
    spread[0, 4, 4] = 16
    found = keras.ops.convert_to_numpy(keras.Model(x, downsample(x, 3, "pool"))(spread))[0, :, :, 0]
    # The maximum spreads the pixel over rows and columns 3 and 4; [1, 2, 1] / 4 has its middle on 1, 3, 5, …
    line = np.array([0, 0.75, 0.25, 0])
    np.testing.assert_allclose(found, 16 * np.outer(line, line), atol=1e-5)
    plain = keras.ops.convert_to_numpy(keras.Model(x, downsample(x, 1, "pool"))(spread))[0, :, :, 0]
    np.testing.assert_array_equal(plain, 16 * np.outer([0, 0, 1, 0], [0, 0, 1, 0]))


@pytest.mark.parametrize("blur", TWINS)
def test_the_pyramid_holds_the_map_of_each_convolution(blur):
    maps = build(blur=blur, features=True)(images())
    assert {stride: tuple(output.shape) for stride, output in maps.items()} == {
        1: (2, 19, 16, 16),
        2: (2, 10, 8, 32),
        4: (2, 5, 4, 64),
        8: (2, 3, 2, 64),
    }


@pytest.mark.parametrize("blur", TWINS)
def test_a_single_pixel_will_do(blur):
    assert np.isfinite(keras.ops.convert_to_numpy(build(blur=blur)(images(1, 1)))).all()


def test_without_a_head_it_gives_the_pooled_features():
    model = build(num_classes=0)
    assert model.output_shape == (None, 64)
    assert "fc" not in [layer.name for layer in model.layers]


def test_only_the_blurred_one_blurs():
    for blur, count in [(3, 3), (1, 0)]:
        assert sum(isinstance(layer, Blur2D) for layer in build(blur=blur).layers) == count


@pytest.mark.parametrize("blur", TWINS)
def test_save_and_load(blur, tmp_path):
    model = build(blur=blur)
    model.save(tmp_path / "blurnet.keras")
    reloaded = keras.saving.load_model(tmp_path / "blurnet.keras")
    np.testing.assert_array_equal(reloaded.predict(images(), verbose=0), model.predict(images(), verbose=0))
