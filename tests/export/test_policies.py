"""Exports compute in float32 and take channels last, whatever a training script has set globally."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
import zoo.export
from zoo.export.variants import in_float32, plain_settings

POLICIES = ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"]


@pytest.fixture
def policy(request):
    """A dtype policy, set as a script sets it."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    assert keras.config.dtype_policy().name == request.param, "an export changed the setting of the script"
    keras.config.set_dtype_policy(before)


@pytest.fixture(scope="module")
def exact():
    """Models as they are without any setting, and what they answer."""
    image = np.random.default_rng(0).integers(0, 256, (1, 24, 24, 3)).astype("float32")
    coordinates = np.array([[40.0, 12.0]], "float32")
    models = {"blurnet-textures": image, "coordconv-classifier": coordinates}
    return {name: (inputs, np.asarray(zoo.load(name)(inputs))) for name, inputs in models.items()}


@pytest.mark.parametrize("name", ["blurnet-textures", "coordconv-classifier"])
@pytest.mark.parametrize("policy", POLICIES, indirect=True)
def test_a_model_of_lower_precision_leaves_in_float32(policy, name, exact):
    inputs, expected = exact[name]
    model = zoo.load(name)
    with plain_settings():
        plain = in_float32(model)
    layers = [layer for layer in plain._flatten_layers() if layer is not plain]
    assert {layer.compute_dtype for layer in layers} == {"float32"}
    # Weights of float16 variables are rounded; the others are as they were.
    near = 1e-5 if policy.startswith("mixed") else 2e-2
    np.testing.assert_allclose(plain(inputs), expected, atol=near * np.abs(expected).max())
    assert plain.spec == model.spec


def test_a_model_of_float32_is_not_built_again():
    model = zoo.load("coordconv-classifier")
    assert in_float32(model) is model


@pytest.mark.slow  # four formats; that each begins with a model in float32 is tested above
@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_every_format_is_written_under_a_policy(policy, exact, tmp_path):
    inputs, expected = exact["blurnet-textures"]
    model = zoo.load("blurnet-textures")
    served = tf.saved_model.load(str(zoo.export.saved_model(model, tmp_path)))
    assert served(inputs).dtype == tf.float32
    np.testing.assert_allclose(served(inputs), expected, atol=1e-4)
    for name, module in (("onnx", "onnxruntime"), ("litert", "ai_edge_litert")):
        pytest.importorskip(module, reason=f"layerzoo[{name}] is not installed")
        assert getattr(zoo.export, name)(model, tmp_path).is_dir()


@pytest.mark.slow  # an export more
def test_channels_first_in_the_configuration_does_not_matter(tmp_path):
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        path = zoo.export.saved_model("espcn-x2", tmp_path, inference_only=True)
        assert keras.config.image_data_format() == "channels_first"
    finally:
        keras.config.set_image_data_format(before)
    assert tf.saved_model.load(str(path))(np.zeros((1, 4, 5, 3), "uint8")).shape == (1, 8, 10, 3)
