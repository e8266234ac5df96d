"""CoordConv: the paper's size, which number is the column, and its twins without coordinates."""

import keras
import numpy as np
import pytest

from zoo.architectures import coordconv

PIXELS = np.array([[40, 12], [4, 59], [0, 63]], "float32")


def build(builder, **arguments):
    coordinates = keras.Input((2,), name="coordinates")
    return keras.Model(coordinates, builder(coordinates, **arguments))


def test_the_classifier_has_the_parameters_of_the_paper():
    # 4*32 + 32, 32*32 + 32, 32*64 + 64, 64*64 + 64, 64 + 1
    assert build(coordconv.classifier).count_params() == 7_553


@pytest.mark.parametrize(("kernel_size", "parameters"), [(2, 46_465), (3, 103_585)])
def test_the_twin_has_the_parameters_of_the_authors_code(kernel_size, parameters):
    # (2 * 64 + 2 * 64*64 + 64*32 + 32*32 + 32) * kernel_size² and 257 biases; gamma and beta of 256 channels
    model = build(coordconv.deconvolution, kernel_size=kernel_size)
    assert sum(int(np.prod(variable.shape)) for variable in model.trainable_variables) == parameters


@pytest.mark.parametrize("builder", [coordconv.classifier, coordconv.deconvolution])
def test_two_numbers_become_a_canvas_of_logits(builder):
    outputs = build(builder)(PIXELS)
    assert tuple(outputs.shape) == (3, 64, 64)
    assert np.isfinite(np.asarray(outputs)).all()


def test_x_is_the_column_and_y_the_row():
    model = build(coordconv.classifier, filters=(4,))
    # Both differences of wanted x, wanted y and the pixel's y, x, as positive and negative parts; then minus their sum.
    differences = np.array([[1, -1, 0, 0], [0, 0, 1, -1], [0, 0, -1, 1], [-1, 1, 0, 0]], "float32")
    model.get_layer("painter-conv1").set_weights([differences[None, None], np.zeros(4)])
    model.get_layer("painter-logits").set_weights([np.full((1, 1, 4, 1), -31.5), np.zeros(1)])
    logits = np.asarray(model(PIXELS))
    for canvas, (x, y) in zip(logits, PIXELS, strict=True):
        rows, columns = np.mgrid[:64, :64]
        np.testing.assert_allclose(canvas, -abs(columns - x) - abs(rows - y), atol=1e-4)


def test_save_and_load(tmp_path):
    model = build(coordconv.classifier, filters=(4, 8))
    model.save(tmp_path / "classifier.keras")
    reloaded = keras.saving.load_model(tmp_path / "classifier.keras")
    np.testing.assert_array_equal(reloaded.predict(PIXELS, verbose=0), model.predict(PIXELS, verbose=0))


def build_on_images(builder, **arguments):
    image = keras.Input((None, None, 1), name="image")
    return keras.Model(image, builder(image, **arguments))


def canvas_of(x, y):
    canvas = np.zeros((1, 64, 64, 1), "float32")
    canvas[0, y - 4 : y + 5, x - 4 : x + 5] = 1
    return canvas


def test_the_regressors_have_few_parameters():
    assert build_on_images(coordconv.regressor).count_params() == 3 * 8 + 8 + 8 * 2 + 2
    # 5x5, 1x1 and 3x3 kernels from 1, 16 and 16 channels; gamma and beta of two normalisations; the last one to x and y
    model = build_on_images(coordconv.convolution)
    expected = 25 * 16 + 2 * 16 * 16 + 5 * 9 * 16 * 16 + 8 * 16 + 2 * 2 * 16 + 9 * 16 * 2 + 2
    assert sum(int(np.prod(variable.shape)) for variable in model.trainable_variables) == expected


@pytest.mark.parametrize("builder", [coordconv.regressor, coordconv.convolution])
@pytest.mark.parametrize("size", [(64, 64), (33, 70)])
def test_an_image_of_any_size_becomes_two_numbers(builder, size):
    outputs = np.asarray(build_on_images(builder)(np.random.default_rng(0).random((3, *size, 1), "float32")))
    assert outputs.shape == (3, 2)
    assert np.isfinite(outputs).all()


@pytest.mark.parametrize("centre", [(4, 4), (59, 4), (4, 59), (59, 59), (40, 12)])
def test_two_directions_suffice_to_tell_where_a_square_lies(centre):
    model = build_on_images(coordconv.regressor, filters=2)
    # Contrast, y, x: to the right and downwards. The outermost pixel lies 4 of 31.5 beyond the centre.
    directions = np.array([[1, 1], [0, 1], [1, 0]], "float32")[None, None]
    model.get_layer("directions").set_weights([directions, np.zeros(2)])
    model.get_layer("centre").set_weights([np.eye(2), np.full(2, -4 / 31.5)])
    np.testing.assert_allclose(np.asarray(model(canvas_of(*centre))), [centre], atol=1e-3)


def test_without_coordinates_a_square_far_from_the_border_looks_the_same_everywhere():
    model = build_on_images(coordconv.convolution)
    places = [(300, 300), (332, 300), (300, 364)]  # apart by multiples of the stride, 32
    canvases = np.zeros((3, 640, 640, 1), "float32")
    for canvas, (x, y) in zip(canvases, places, strict=True):
        canvas[y - 4 : y + 5, x - 4 : x + 5] = 1
    answers = np.asarray(model(canvases))
    np.testing.assert_allclose(answers, answers[:1].repeat(3, axis=0), rtol=1e-4)


def test_the_regressor_survives_its_file(tmp_path):
    model = build_on_images(coordconv.regressor)
    model.save(tmp_path / "regressor.keras")
    reloaded = keras.saving.load_model(tmp_path / "regressor.keras")
    image = canvas_of(40, 12)
    np.testing.assert_array_equal(reloaded.predict(image, verbose=0), model.predict(image, verbose=0))
