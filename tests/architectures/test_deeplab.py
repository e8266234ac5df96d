"""DeepLabV3 on MobileNetV2 against transformers."""

import math

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

import zoo
from tests.golden_files import assert_close, golden_state, read_golden, trainable_parameters, write_golden_checkpoint

NAME = "deeplabv3_mobilenet_v2"
CLASSIFIER = "segmentation_head.classifier.convolution"


def test_reproduces_transformers(tmp_path):
    arrays, meta = read_golden(NAME)
    model = zoo.load(NAME, weights=write_golden_checkpoint(NAME, tmp_path))
    assert model.spec.input.mean == tuple(meta["mean"])
    assert model.spec.input.std == tuple(meta["std"])
    assert math.floor(model.spec.input.size / model.spec.input.crop) == 545
    unused = sum(
        math.prod(shape)
        for name, shape in meta["tensors"].items()
        if "v2.conv_1x1" in name and not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
    )
    assert trainable_parameters(model) == meta["params"] - unused
    assert_close(model(arrays["images"].astype("float32")), arrays["logits"])


def test_epsilon_and_activation_of_backbone_and_head():
    for layer in zoo.load(NAME, weights=None).layers:
        backbone = layer.name.startswith("mobilenet_v2")
        if isinstance(layer, keras.layers.BatchNormalization):
            assert layer.epsilon == (1e-3 if backbone else 1e-5), layer.name
        if isinstance(layer, keras.layers.Activation):
            assert layer.activation is (keras.activations.relu6 if backbone else keras.activations.relu), layer.name


def test_from_stride_8_on_filters_are_dilated():
    model = zoo.load(NAME, weights=None)
    filters = [model.get_layer(f"mobilenet_v2-layer-{index}-conv_3x3-convolution") for index in range(16)]
    assert [layer.strides[0] for layer in filters] == [2, 1, 2] + 13 * [1]
    assert [layer.dilation_rate[0] for layer in filters] == 6 * [1] + 7 * [2] + 3 * [4]


def test_the_pyramid_ends_at_stride_8():
    maps = zoo.load(NAME, weights=None, features=True)(np.zeros((1, 33, 40, 3), "float32"))
    shapes = {int(stride): tuple(output.shape) for stride, output in maps.items()}
    assert shapes == {2: (1, 17, 20, 16), 4: (1, 9, 10, 24), 8: (1, 5, 5, 320)}


def test_wrong_weights_are_refused(tmp_path):
    state = golden_state(NAME)
    path = tmp_path / "wrong.safetensors"

    ten = {f"{CLASSIFIER}.weight": state[f"{CLASSIFIER}.weight"][:10], f"{CLASSIFIER}.bias": np.zeros(10, "float32")}
    save_file({**state, **ten}, path)
    with pytest.raises(zoo.WeightsMismatchError, match=r"misshapen: segmentation_head\.classifier"):
        zoo.load(NAME, weights=path)

    headless = {name: tensor for name, tensor in state.items() if not name.startswith("segmentation_head")}
    save_file(headless, path)
    with pytest.raises(zoo.WeightsMismatchError, match="missing: segmentation_head"):
        zoo.load(NAME, weights=path)

    save_file({**state, "mobilenet_v2.layer.16.expand_1x1.convolution.weight": np.zeros((1, 1, 1, 1), "f")}, path)
    with pytest.raises(zoo.WeightsMismatchError, match=r"left over: mobilenet_v2\.layer\.16"):
        zoo.load(NAME, weights=path)


def test_a_new_head_segments_other_classes(tmp_path):
    model = zoo.load(NAME, weights=write_golden_checkpoint(NAME, tmp_path), num_classes=3, new_head=True)
    assert model.output_shape == (None, None, None, 3)
    assert model.spec.random == "head"
