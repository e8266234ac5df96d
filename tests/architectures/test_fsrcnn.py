"""FSRCNN: the paper's size, its shapes, its place on the bicubic enlargement, and where its pixels come from."""

import keras
import numpy as np
import pytest

from zoo.architectures.fsrcnn import fsrcnn, luma_detail


def build(scale, **arguments):
    inputs = keras.Input((None, None, 3), name="image")
    return keras.Model(inputs, fsrcnn(inputs, scale=scale, **arguments))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_weights_of_the_convolutions_are_those_of_the_paper(scale):
    # Table 1 of the paper counts 12,464 for d = 56, s = 12, m = 4, at every scale, biases and PReLUs left out.
    model = build(scale)
    kernels = [np.array(variable) for variable in model.variables if variable.path.endswith("kernel")]
    assert sum(kernel.size for kernel in kernels) == 12_464
    assert model.count_params() == 12_464 + (56 + 12 + 4 * 12 + 56 + 1) + (56 + 12 + 4 * 12 + 56)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_it_enlarges_images_of_any_size(scale):
    model = build(scale)
    assert model.output_shape == (None, None, None, 3)
    for height, width in ((7, 12), (16, 9), (1, 1)):
        outputs = model(np.zeros((2, height, width, 3), "float32"))
        assert tuple(outputs.shape) == (2, scale * height, scale * width, 3)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_untrained_it_is_the_bicubic_enlargement(scale):
    model = build(scale)
    bicubic = keras.Model(model.input, model.get_layer("bicubic").output)
    image = np.random.default_rng(0).uniform(size=(1, 9, 6, 3)).astype("float32")
    np.testing.assert_allclose(model(image), 255 * np.array(bicubic(image)), rtol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_detail_stays_where_the_pixel_is(scale):
    inputs = keras.Input((None, None, 1))
    model = keras.Model(inputs, luma_detail(inputs, scale=scale, filters=1, shrunk_filters=1, mapping_convolutions=0))
    for layer in model.layers[1:-1]:  # an identity as far as positive numbers go
        for variable in layer.variables:
            centre = np.zeros(variable.shape)
            if variable.path.endswith("kernel"):
                centre[centre.shape[0] // 2, centre.shape[1] // 2] = 1
            variable.assign(centre)
    model.layers[-1].kernel.assign(np.ones((9, 9, 1, 1)))
    point = np.zeros((1, 9, 9, 1), "float32")
    point[0, 4, 4] = 1
    rows = np.flatnonzero(np.array(model(point))[0, :, :, 0].max(axis=1))
    block = scale * 4 + (scale - 1) / 2  # the middle of the pixel's block
    assert rows.size == 9
    assert abs(rows.mean() - block) <= 0.5  # a kernel of 9 has no middle in an even block


def test_save_and_load(tmp_path):
    model = build(3, filters=5, shrunk_filters=3, mapping_convolutions=1)
    model.get_layer("deconv").kernel.assign(np.random.default_rng(0).normal(size=(9, 9, 1, 5)))
    assert [variable.path for variable in model.variables][:3] == [
        "feature-conv/kernel",
        "feature-conv/bias",
        "feature-prelu/alpha",
    ]
    model.save(tmp_path / "fsrcnn.keras")
    image = np.random.default_rng(0).uniform(size=(1, 9, 6, 3)).astype("float32")
    reloaded = keras.saving.load_model(tmp_path / "fsrcnn.keras")
    np.testing.assert_array_equal(reloaded(image), model(image))
