import keras
import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import BilinearInterpolation


def upsampling(stride, channels=3):
    return keras.layers.Conv2DTranspose(
        channels, 2 * stride - stride % 2, stride, "same", kernel_initializer=BilinearInterpolation()
    )


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_a_transposed_convolution_starts_as_bilinear_upsampling(golden, stride):
    (outputs,) = promises.run(upsampling(stride), [golden["g"]])
    expected, inner = golden[f"bilinear_{stride}"], slice(stride, -stride)
    assert outputs.shape == expected.shape
    promises.assert_same([outputs[:, inner, inner]], [expected[:, inner, inner]])


def test_an_odd_stride_interpolates_a_ramp():
    ramp = np.broadcast_to(np.arange(6, dtype="float32")[None, None, :, None], (1, 5, 6, 3))
    (outputs,) = promises.run(upsampling(3), [np.ascontiguousarray(ramp)])
    np.testing.assert_allclose(outputs[0, 4, 3:-3, 1], (np.arange(18)[3:-3] + 0.5) / 3 - 0.5, rtol=1e-5)


def test_the_kernel_of_stride_2_is_that_of_the_paper_and_mixes_no_channels():
    kernel = np.asarray(keras.ops.convert_to_numpy(BilinearInterpolation()((4, 4, 2, 3))))
    row = np.array([0.25, 0.75, 0.75, 0.25])
    np.testing.assert_allclose(kernel[..., 1, 1], np.outer(row, row))
    assert np.all(kernel[..., 0, 1] == 0)
    assert np.all(kernel[..., 2] == 0)


def test_it_is_saved_with_its_layer(tmp_path):
    model = keras.Sequential([keras.Input((None, None, 3)), upsampling(2)])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.layers[-1].kernel_initializer, BilinearInterpolation)


def test_a_shape_that_is_not_a_kernel_is_refused():
    with pytest.raises(
        InputError, match=r"BilinearInterpolation: the kernel must have shape .* Received: shape=\(4, 4\)"
    ):
        BilinearInterpolation()((4, 4))
