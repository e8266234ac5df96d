"""MobileNets and EfficientNets against timm."""

import functools

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

import zoo
from tests.golden_files import (
    assert_classifier_reproduces,
    assert_close,
    golden_state,
    read_golden,
)
from tests.marked_cases import first_of_each
from tests.timm_shapes import abstract, write_hollow_checkpoint

GOLDEN = ["mobilenetv2_100", "mobilenetv3_large_100", "efficientnet_b0", "tf_efficientnet_b0"]


@functools.cache
def layers(name):
    return abstract(name).layers


@pytest.mark.parametrize("architecture", first_of_each(GOLDEN))
def test_reproduces_timm(architecture, tmp_path):
    _, arrays = assert_classifier_reproduces(architecture, tmp_path)
    pyramid = zoo.load(architecture, weights=tmp_path / f"{architecture}.safetensors", features=True)
    maps = pyramid(arrays["images"].astype("float32"))
    assert [int(stride) for stride in maps] == [2, 4, 8, 16, 32]
    for stage, output in enumerate(maps.values()):
        assert_close(keras.ops.mean(output, axis=(1, 2)), arrays[f"stage{stage}_mean"])


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("mobilenetv3_small_050", {2: 16, 4: 8, 8: 16, 16: 24, 32: 288}),  # the first stage is strided: the stem's map
        pytest.param("tf_efficientnetv2_b0", {2: 16, 4: 32, 8: 48, 16: 112, 32: 192}, marks=pytest.mark.slow),
    ],
)
def test_the_pyramid_holds_the_last_map_of_each_stride(name, channels):
    model = zoo.load(name, weights=None, features=True)
    maps = model(np.zeros((1, 70, 64, 3), "float32"))
    expected = {stride: (1, -(-70 // stride), 64 // stride, width) for stride, width in channels.items()}
    assert {int(stride): tuple(output.shape) for stride, output in maps.items()} == expected


@pytest.mark.parametrize(
    ("name", "epsilon"),
    [
        ("mobilenetv2_100", 1e-5),
        ("mobilenetv3_large_100", 1e-5),
        ("mobilenetv3_rw", 1e-3),  # trained on PyTorch, but with TensorFlow's
        ("tf_mobilenetv3_small_minimal_100", 1e-3),
        ("efficientnet_b0", 1e-5),
        ("tf_efficientnet_b0", 1e-3),
        ("efficientnetv2_rw_t", 1e-5),
        ("tf_efficientnetv2_b0", 1e-3),
    ],
)
def test_the_epsilon_of_batch_normalization(name, epsilon):
    found = {layer.epsilon for layer in layers(name) if isinstance(layer, keras.layers.BatchNormalization)}
    assert found == {epsilon}


@pytest.mark.parametrize(
    ("name", "additions"),
    [
        ("mobilenetv2_110d", 15),  # its first and last stage are not deepened
        ("mobilenetv3_rw", 9),  # its first block is not added to its input, though it could be
        ("mobilenetv3_large_100", 10),
        ("mobilenetv3_large_150d", 16),  # the last of its convolutions is not added either
        ("tf_efficientnetv2_s", 35),  # its plain blocks are
    ],
)
def test_shortcuts_that_the_number_of_parameters_does_not_show(name, additions):
    assert sum(layer.name.endswith("-add") for layer in layers(name)) == additions


def test_tensorflow_pads_strided_convolutions_on_the_right_only():
    model, symmetric = abstract("tf_efficientnet_b0"), abstract("efficientnet_b0")
    assert model.get_layer("conv_stem").padding == "same"
    assert symmetric.get_layer("conv_stem").padding == "valid"
    assert symmetric.get_layer("conv_stem-pad").padding == ((1, 1), (1, 1))


@pytest.mark.parametrize(
    ("architecture", "other"),
    [
        ("mobilenetv2_100", "mobilenetv2_140"),
        ("mobilenetv2_100", "mobilenetv2_110d"),
        ("mobilenetv3_large_100", "mobilenetv3_small_100"),
        ("mobilenetv3_large_100", "tf_mobilenetv3_large_minimal_100"),
        ("efficientnet_b0", "efficientnet_b1"),
        ("efficientnet_b0", "tf_efficientnetv2_b0"),
    ],
)
def test_weights_of_another_depth_or_width_are_refused(architecture, other, tmp_path):
    _, meta = read_golden(architecture)
    path = write_hollow_checkpoint(meta["tensors"], tmp_path / "weights.safetensors")
    with pytest.raises(zoo.WeightsMismatchError, match=r"missing|misshapen|left over"):
        zoo.load(other, weights=path)


@pytest.mark.parametrize("architecture", first_of_each(["mobilenetv2_100", "mobilenetv3_large_100"]))
def test_weights_with_another_head_or_none_are_refused(architecture, tmp_path):
    state = golden_state(architecture)
    fewer = {"classifier.weight": state["classifier.weight"][:10], "classifier.bias": state["classifier.bias"][:10]}
    save_file({**state, **fewer}, tmp_path / "ten.safetensors")
    with pytest.raises(zoo.WeightsMismatchError, match=r"misshapen: classifier\.bias is \[10\]"):
        zoo.load(architecture, weights=tmp_path / "ten.safetensors")
    assert zoo.load(architecture, weights=tmp_path / "ten.safetensors", num_classes=10).output_shape == (None, 10)

    headless = {name: tensor for name, tensor in state.items() if not name.startswith("classifier")}
    save_file(headless, tmp_path / "headless.safetensors")
    with pytest.raises(zoo.WeightsMismatchError, match=r"missing: classifier\.bias"):
        zoo.load(architecture, weights=tmp_path / "headless.safetensors")


def efficientnet_pytorch_state(architecture):
    """The golden checkpoint in the layout of the library `efficientnet_pytorch`: the same tensors in the same order."""
    names = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}
    parts = {
        3: {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"},
        4: {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1"}
        | {"conv_pwl": "_project_conv", "bn3": "_bn2"},
    }
    squeeze = {"se.conv_reduce": "_se_reduce", "se.conv_expand": "_se_expand"}
    state = golden_state(architecture)
    blocks = list(dict.fromkeys(".".join(name.split(".")[:3]) for name in state if name.startswith("blocks.")))
    renamed = {}
    for name, tensor in state.items():
        module, _, leaf = name.rpartition(".")
        if module.startswith("blocks."):
            block, part = ".".join(module.split(".")[:3]), ".".join(module.split(".")[3:])
            kind = 4 if f"{block}.conv_pwl.weight" in state else 3
            module = f"_blocks.{blocks.index(block)}.{(parts[kind] | squeeze)[part]}"
        renamed[f"{names.get(module, module)}.{leaf}"] = tensor
    return renamed


@pytest.mark.parametrize("architecture", first_of_each(["tf_efficientnet_lite0", "efficientnet_b0"]))
def test_a_file_of_efficientnet_pytorch_gives_the_same_network(architecture, tmp_path):
    state = efficientnet_pytorch_state(architecture)
    assert {"_blocks.1._expand_conv.weight", "_blocks.15._bn2.running_var", "_fc.bias"} <= set(state)
    save_file(state, tmp_path / "my-b0.safetensors")
    model = zoo.load(architecture, weights=tmp_path / "my-b0.safetensors")
    arrays, _ = read_golden(architecture)
    assert_close(model(arrays["images"].astype("float32")), arrays["logits"])
    other = zoo.load(architecture, weights=tmp_path / "my-b0.safetensors", num_classes=3, new_head=True)
    assert other.output_shape == (None, 3)
    assert other.spec.random == "head"


def test_a_file_of_efficientnet_pytorch_that_lacks_a_tensor_is_refused(tmp_path):
    state = efficientnet_pytorch_state("efficientnet_b0")
    del state["_blocks.3._se_reduce.bias"]
    save_file(state, tmp_path / "my-b0.safetensors")
    with pytest.raises(zoo.WeightsMismatchError, match=r"missing: _blocks\.3\._se_reduce\.bias"):
        zoo.load("efficientnet_b0", weights=tmp_path / "my-b0.safetensors")
