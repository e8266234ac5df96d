"""The inpainting U-Nets: their sizes, what they leave alone, what they never see, and how holes close."""

import functools

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from tests.marked_cases import first_of_each, slow_except
from zoo.architectures import pconv_unet
from zoo.layers import DiffusionFill2D

PLAIN = [pconv_unet.pconv_unet, pconv_unet.conv_unet]
BUILDERS = [*PLAIN, *[functools.partial(builder, diffusion=True) for builder in PLAIN]]
CASES = first_of_each(BUILDERS, lambda builder: builder in PLAIN)


@functools.cache
def build(builder, filters=(6, 8, 10)):
    keras.utils.set_random_seed(0)
    image, mask = keras.Input((None, None, 3), name="image"), keras.Input((None, None, 1), name="mask")
    model = keras.Model([image, mask], builder(image, mask, filters=filters))
    if builder not in PLAIN:  # zeros before training
        kernel, bias = model.get_layer("residual").get_weights()
        model.get_layer("residual").set_weights([np.random.default_rng(0).normal(size=kernel.shape), bias])
    return model


def damaged(height, width):
    generator = np.random.default_rng([height, width])
    image = generator.uniform(size=(2, height, width, 3)).astype("float32")
    return image, (generator.uniform(size=(2, height, width, 1)) < 0.6).astype("float32")


def kernels(model):
    return sum(int(np.prod(variable.shape)) for variable in model.variables if variable.path.endswith("kernel"))


@pytest.mark.parametrize(("builder", "channels"), [(pconv_unet.pconv_unet, 3), (pconv_unet.conv_unet, 4)])
def test_the_kernels_are_those_of_the_figure(builder, channels):
    filters = (24, 48, 96, 128, 128)
    encoder = 49 * channels * 24 + 25 * 24 * 48 + 25 * 48 * 96 + 9 * 96 * 128 + 9 * 128 * 128
    decoder = 9 * (256 * 128 + 224 * 96 + 144 * 48 + 72 * 24 + (24 + channels) * 3)
    assert kernels(build(builder, filters)) == encoder + decoder
    assert encoder + decoder < 1_000_000


@pytest.mark.parametrize("builder", CASES)
@pytest.mark.parametrize("size", slow_except([(17, 31), (1, 1)], [(16, 24), (17, 31), (5, 8), (1, 1)]))
def test_the_valid_pixels_of_an_image_of_any_size_come_back(builder, size):
    image, mask = damaged(*size)
    outputs = convert_to_numpy(build(builder)([image, mask]))
    assert outputs.shape == image.shape
    assert np.isfinite(outputs).all()
    np.testing.assert_allclose(outputs * mask, 255 * image * mask, atol=1e-3)


@pytest.mark.parametrize("builder", CASES)
def test_what_lies_under_the_hole_changes_nothing(builder):
    image, mask = damaged(19, 22)
    other = np.where(mask == 0, 1 - image, image)
    model = build(builder)
    outputs, others = convert_to_numpy(model([image, mask])), convert_to_numpy(model([other, mask]))
    np.testing.assert_allclose(outputs, others, atol=1e-3)


@pytest.mark.parametrize("builder", CASES)
def test_the_hole_is_filled_from_what_is_valid(builder):
    image, mask = damaged(19, 22)
    model = build(builder)
    changed = convert_to_numpy(model([np.where(mask == 1, 1 - image, image), mask])) - convert_to_numpy(
        model([image, mask])
    )
    assert np.abs(changed * (1 - mask)).max() > 0.1


@pytest.mark.parametrize("builder", CASES)
def test_an_image_that_is_all_hole_gives_numbers(builder):
    assert np.isfinite(convert_to_numpy(build(builder)([np.ones((1, 9, 9, 3)), np.zeros((1, 9, 9, 1))]))).all()


def test_a_hole_closes_from_its_rim():
    model = build(pconv_unet.pconv_unet)
    masks = keras.Model(model.inputs, [model.get_layer(f"encoder{index}-conv").output[1] for index in (1, 2, 3)])
    mask = np.zeros((1, 40, 40, 1), "float32")
    mask[:, :, :10] = 1  # columns 0 to 9
    # Windows of 7, 5, 5 about every second column: the first invalid centre is 13, then 7 of columns 0 to 6, ...
    valid = [convert_to_numpy(m)[0, :, :, 0] for m in masks([np.ones((1, 40, 40, 3), "float32"), mask])]
    for m, columns in zip(valid, (7, 5, 4), strict=True):
        np.testing.assert_array_equal(m, np.broadcast_to(np.arange(m.shape[1]) < columns, m.shape))


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize(("height", "width"), [(8, 10), (7, 9)])
def test_even_and_odd_sides_are_halved_about_the_same_pixels(pair, height, width):
    x = np.random.default_rng(0).uniform(size=(1, height, width, 1)).astype("float32")
    features, mask = keras.Input((height, width, 1)), keras.Input((height, width, 1))
    maps = [features, mask] if pair else [features]
    model = keras.Model([features, mask], pconv_unet.convolve(maps, 1, 3, strides=2, name="conv")[0])
    centre = np.zeros((3, 3, 1, 1))
    centre[1, 1] = 1
    model.get_layer("conv").set_weights([centre, np.zeros(1)])
    outputs = convert_to_numpy(model([x, np.ones_like(x)]))[:, 1:-1, 1:-1]  # at the border partial ones are scaled up
    np.testing.assert_allclose(outputs, x[:, ::2, ::2][:, 1:-1, 1:-1], rtol=1e-6)


@pytest.mark.slow  # tests/test_saving.py has other models
@pytest.mark.parametrize("builder", BUILDERS)
def test_save_and_load(builder, tmp_path):
    model = build(builder)
    assert next(v.path for v in model.variables) in ("encoder1-conv/kernel", "encoder0-conv1/kernel")
    model.save(tmp_path / "unet.keras")
    image, mask = damaged(9, 14)
    reloaded = keras.saving.load_model(tmp_path / "unet.keras")
    np.testing.assert_array_equal(reloaded.predict([image, mask], verbose=0), model.predict([image, mask], verbose=0))


@pytest.mark.parametrize("builder", PLAIN)
def test_with_diffusion_training_starts_at_the_fill(builder):
    image, mask = keras.Input((None, None, 3)), keras.Input((None, None, 1))
    model = keras.Model([image, mask], builder(image, mask, filters=(4, 6), diffusion=True))
    inputs = damaged(19, 22)
    fill = convert_to_numpy(DiffusionFill2D()(list(inputs)))
    np.testing.assert_allclose(convert_to_numpy(model(list(inputs))), 255 * fill, atol=1e-3)
