"""CoordConv: the paper's size, which number is the column, and its twin without coordinates."""

import keras
import numpy as np
import pytest

from zoo.architectures import coordconv

# Keras 3.15 with NumPy 2.4, when it saves variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
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
