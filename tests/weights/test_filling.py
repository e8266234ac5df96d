"""How a file's tensors become Keras' variables: the same numbers as PyTorch's layer, and nothing else fits."""

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from zoo.errors import WeightsMismatchError
from zoo.layers import LayerScale, SkipInit
from zoo.weights import filling

GENERATOR = np.random.default_rng(0)


def numbers(*shape):
    return GENERATOR.normal(size=shape).astype("float32")


def filled(layer, shape, tensors, tmp_path):
    save_file(tensors, tmp_path / "w.safetensors")
    with filling.abstract():
        inputs = keras.Input(shape)
        model = keras.Model(inputs, layer(inputs))
    filling.fill(model, tmp_path / "w.safetensors", file_format="timm")
    return model


def answer(model, x):
    return keras.ops.convert_to_numpy(model(x))


@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 1), (5, 3, 1, 1), (5, 3, 1, 1, 1)])
@pytest.mark.parametrize("kind", ["dense", "conv1", "conv2"])
def test_a_1x1_convolution_and_a_dense_layer_fill_each_other(kind, shape, tmp_path):
    layer, size = {
        "dense": (keras.layers.Dense(5, use_bias=False, name="fc"), (3,)),
        "conv1": (keras.layers.Conv1D(5, 1, use_bias=False, name="fc"), (2, 3)),
        "conv2": (keras.layers.Conv2D(5, 1, use_bias=False, name="fc"), (2, 2, 3)),
    }[kind]
    kernel, x = numbers(*shape), numbers(1, *size)
    model = filled(layer, size, {"fc.weight": kernel}, tmp_path)
    np.testing.assert_allclose(answer(model, x), x @ kernel.reshape(5, 3).T, rtol=1e-4, atol=1e-6)


def test_prelu_takes_its_slope_of_each_channel(tmp_path):
    slope, x = numbers(3), numbers(1, 2, 2, 3)
    model = filled(keras.layers.PReLU(shared_axes=[1, 2], name="act"), (2, 2, 3), {"act.weight": slope}, tmp_path)
    np.testing.assert_allclose(answer(model, x), np.where(x > 0, x, x * slope), rtol=1e-6)


def test_several_filters_a_channel_stand_beside_each_other_as_in_pytorch(tmp_path):
    kernel, x = numbers(6, 1, 2, 2), numbers(1, 2, 2, 3)  # filters 0 and 1 see channel 0
    layer = keras.layers.DepthwiseConv2D(2, depth_multiplier=2, use_bias=False, name="dw")
    model = filled(layer, (2, 2, 3), {"dw.weight": kernel}, tmp_path)
    expected = [(x[0, :, :, out // 2] * kernel[out, 0]).sum() for out in range(6)]
    np.testing.assert_allclose(answer(model, x).ravel(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 5), (15,), (5, 3, 2, 1), (1, 15), (3, 1, 5), (5, 1, 3, 1, 2), ()])
@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_a_tensor_of_the_same_size_and_another_order_does_not_fit(kind, shape, tmp_path):
    layer, size = (
        (keras.layers.Dense(5, use_bias=False, name="fc"), (3,))
        if kind == "dense"
        else (keras.layers.Conv2D(5, 1, use_bias=False, name="fc"), (2, 2, 3))
    )
    with pytest.raises(WeightsMismatchError, match=r"misshapen: fc\.weight"):
        filled(layer, size, {"fc.weight": numbers(*shape)}, tmp_path)


def test_a_kernel_that_is_larger_than_1x1_is_taken_as_it_is_only(tmp_path):
    with pytest.raises(WeightsMismatchError, match="misshapen"):
        filled(
            keras.layers.Conv2D(5, (1, 2), name="c", use_bias=False),
            (2, 2, 3),
            {"c.weight": numbers(5, 3, 2, 1)},
            tmp_path,
        )


def test_a_scalar_and_a_scale_per_channel_are_filled_by_their_names(tmp_path):
    with filling.abstract():
        image = keras.Input((None, None, 3))
        outputs = LayerScale(name="block-layer_scale")(SkipInit(name="block")(image))
        model = keras.Model(image, outputs)
    scale = np.array([1.0, 2.0, -3.0], "float32")
    state = {"block.skipinit_gain": np.array(0.5, "float32"), "block.layer_scale.scale": scale}
    save_file(state, tmp_path / "weights.safetensors")
    filling.fill(model, tmp_path / "weights.safetensors", file_format="timm")
    assert [value.shape for value in model.get_weights()] == [(), (3,)]
    outputs = keras.ops.convert_to_numpy(model(np.ones((1, 2, 2, 3), "float32")))
    np.testing.assert_allclose(outputs[0, 0, 0], 0.5 * scale)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_weights_of_any_dtype_have_a_digest(dtype):
    variables = [keras.Variable(numbers(*shape), dtype=dtype) for shape in ((), (3,), (2, 3))]
    first = filling.digest(variables)
    assert first == filling.digest(variables)
    variables[-1].assign(numbers(2, 3))
    assert filling.digest(variables) != first
