"""The sparsity-invariant network and its plain twin: the paper's size, invariance, any size of image."""

import functools

import keras
import numpy as np
import pytest

from zoo.architectures import sparseconvnet

BUILDERS = {
    "sparseconvnet": sparseconvnet.sparseconvnet,
    "convnet": sparseconvnet.convnet,
    "diffusion": functools.partial(sparseconvnet.sparseconvnet, diffusion=True),
}


def build(name, **arguments):
    keras.utils.set_random_seed(0)
    image, mask = keras.Input((None, None, 1)), keras.Input((None, None, 1))
    model = keras.Model([image, mask], BUILDERS[name](image, mask, **arguments))
    if name == "diffusion":  # zeros before training: what is multiplied is the fill itself
        kernel, bias = model.get_layer("logarithm").get_weights()
        generator = np.random.default_rng(0)
        model.get_layer("logarithm").set_weights([0.1 * generator.normal(size=kernel.shape), bias])
    return model


def filled(model, depths):
    depths = np.asarray(depths, "float32")[None, ..., None]
    return keras.ops.convert_to_numpy(model([depths, (depths > 0).astype("float32")]))[0, ..., 0]


def test_the_network_has_the_parameters_of_the_paper():
    # (11² + 16 (7² + 5² + 3² + 3²)) * 16 weights, 5 * 16 biases; 16 + 1
    assert build("sparseconvnet").count_params() == 25_585


def test_the_twin_differs_by_the_kernel_over_the_mask():
    assert build("convnet").count_params() == 25_585 + 11 * 11 * 16


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("size", [(9, 14), (1, 1), (30, 7)])
def test_any_size_is_kept(name, size):
    depths = filled(build(name), np.full(size, 12.0))
    assert depths.shape == size
    assert np.isfinite(depths).all()


def constant(name):
    """A network of kernels that are all the same: it averages, when it knows how many points there are."""
    model = build(name, filters=1, kernel_sizes=(5, 3))
    for layer in model.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            depth_taps = kernel.shape[0] * kernel.shape[1]  # the mask's, where there is one, get none
            kernel[:] = 1 / depth_taps
            kernel[:, :, 1:] = 0
            layer.set_weights([kernel, bias])
    return model


def test_a_constant_depth_is_kept_however_few_pixels_are_given():
    generator = np.random.default_rng(0)
    for share in (0.2, 0.5, 1):
        given = np.where(generator.random((20, 20)) < share, 33.0, 0.0)
        np.testing.assert_allclose(filled(constant("sparseconvnet"), given)[3:-3, 3:-3], 33, rtol=1e-5)


def test_to_the_twin_fewer_pixels_are_smaller_depths():
    given = np.where(np.random.default_rng(0).random((20, 20)) < 0.5, 33.0, 0.0)
    assert filled(constant("convnet"), given)[3:-3, 3:-3].mean() == pytest.approx(33 / 2, rel=0.1)


@pytest.mark.parametrize("name", ["sparseconvnet", "diffusion"])
def test_the_depth_of_a_pixel_that_is_not_given_does_not_matter(name):
    model = build(name)
    mask = (np.random.default_rng(0).random((1, 12, 12, 1)) < 0.3).astype("float32")
    outputs = [keras.ops.convert_to_numpy(model([mask * 7 + (1 - mask) * hidden, mask])) for hidden in (0.0, 50.0)]
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-5)


def test_far_from_any_point_the_answer_is_one_constant():
    depths = np.zeros((40, 40))
    depths[0, 0] = 25
    answer = filled(build("sparseconvnet"), depths)
    assert np.ptp(answer[13:, 13:]) == 0
    assert np.ptp(answer[:13, :13]) > 0


@pytest.mark.parametrize("name", BUILDERS)
def test_save_and_load(tmp_path, name):
    model = build(name)
    model.save(tmp_path / "model.keras")
    depths = np.where(np.eye(16), 5, 0)
    np.testing.assert_array_equal(
        filled(keras.saving.load_model(tmp_path / "model.keras"), depths), filled(model, depths)
    )


def test_with_diffusion_the_points_in_front_are_kept_and_those_behind_them_dropped():
    depths = np.zeros((12, 12))
    depths[2, 2], depths[2, 4], depths[9, 9] = 10, 30, 30  # the second lies within two pixels of a nearer one
    answer = filled(build("diffusion"), depths)
    assert answer[2, 2] == pytest.approx(10)
    assert answer[9, 9] == pytest.approx(30)
    assert answer[2, 4] < 20


def test_with_diffusion_training_starts_at_the_fill_of_the_inverse_depths():
    image, mask = keras.Input((None, None, 1)), keras.Input((None, None, 1))
    model = keras.Model([image, mask], sparseconvnet.sparseconvnet(image, mask, diffusion=True))
    depths = np.zeros((7, 7))
    depths[3, 0], depths[3, 6] = 10, 20
    answer = filled(model, depths)
    assert answer[3, 3] == pytest.approx(2 / (1 / 10 + 1 / 20), rel=0.05)  # the harmonic mean
    assert ((answer >= 9.999) & (answer <= 20.001)).all()
