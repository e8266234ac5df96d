"""The 3-D U-Net: its size, any size of volume, its own unit, and that both levels and skips are heard."""

import keras
import numpy as np
import pytest

from zoo.architectures.unet3d import normalized, unet3d


def build(**arguments):
    keras.utils.set_random_seed(0)
    counts = keras.Input((None, None, None, 1), name="volume")
    return keras.Model(counts, unet3d(counts, **{"filters": (4, 8, 12), **arguments}))


def counts(*shape):
    return np.random.default_rng(0).poisson(5, (2, *shape, 1)).astype("float32")


def test_it_has_the_parameters_of_figure_2():
    # The paper's network has 19,069,955: three channels in and out, one bias a channel in the convolutions, none in the
    # transposed ones. Ours has one channel in and out, and for each channel of a convolution a norm's two parameters.
    model = build(filters=(64, 128, 256, 512))
    channels = 32 + 64 + 64 + 128 + 128 + 256 + 256 + 512 + 2 * (256 + 128 + 64)
    fewer = 2 * (27 * 32) + 2 * (64 + 1)
    trainable = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    transposed_biases = 512 + 256 + 128
    assert trainable - channels - transposed_biases + fewer == 19_069_955


@pytest.mark.parametrize("shape", [(8, 12, 16), (7, 13, 10), (1, 1, 1), (5, 3, 2)])
def test_each_voxel_gets_a_logit_whatever_the_size(shape):
    logits = keras.ops.convert_to_numpy(build()(counts(*shape)))
    assert logits.shape == (2, *shape, 1)
    assert np.isfinite(logits).all()


def test_the_unit_is_that_of_the_mean_whatever_the_dose():
    volume = keras.Input((None, None, None, 1))
    found = keras.ops.convert_to_numpy(
        keras.Model(volume, normalized(volume))(np.stack([counts(6, 7, 8)[0], np.zeros((6, 7, 8, 1))]))
    )
    np.testing.assert_allclose((found**2).mean(axis=(1, 2, 3, 4)), [1, 1], rtol=1e-5)
    expected = counts(6, 7, 8)[0] + 0.375
    np.testing.assert_allclose(found[0] ** 2, expected / expected.mean(), rtol=1e-5)


def test_less_than_no_counts_are_none():
    model, volume = build(), counts(6, 7, 8) - 4
    assert volume.min() < -1
    np.testing.assert_array_equal(model.predict(volume, verbose=0), model.predict(np.maximum(volume, 0), verbose=0))


def test_a_dose_a_thousand_times_higher_changes_little():
    model, volume = build(), 1e3 * counts(8, 8, 8)
    np.testing.assert_allclose(model.predict(1e3 * volume, verbose=0), model.predict(volume, verbose=0), atol=1e-2)


def test_the_answer_depends_on_far_voxels_and_on_its_own():
    model, volume = build(), counts(16, 16, 16)
    before = keras.ops.convert_to_numpy(model(volume))
    far, near = volume.copy(), volume.copy()
    far[:, 2, 8, 8] += 500
    near[:, 8, 8, 8] += 500
    assert abs(keras.ops.convert_to_numpy(model(far)) - before)[:, 8, 8, 8].min() > 1e-4
    assert abs(keras.ops.convert_to_numpy(model(near)) - before)[:, 8, 8, 8].min() > 1e-4


def test_before_training_little_is_found():
    model = build()
    kernel = model.get_layer("logits").kernel
    kernel.assign(np.zeros(kernel.shape))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(counts(4, 4, 4))), -4)


def test_save_and_load(tmp_path):
    model = build()
    model.save(tmp_path / "unet3d.keras")
    reloaded = keras.saving.load_model(tmp_path / "unet3d.keras")
    volume = counts(5, 6, 7)
    np.testing.assert_array_equal(reloaded.predict(volume, verbose=0), model.predict(volume, verbose=0))
