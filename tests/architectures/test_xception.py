"""Xception, as published and aligned, against timm; with activation first against the formula on PyTorch."""

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

import zoo
from tests.golden_files import assert_classifier_reproduces, assert_close, golden_weight, read_golden
from tests.marked_cases import first_of_each
from tests.timm_shapes import abstract, timm_shapes, write_hollow_checkpoint
from zoo.catalogue.registry import registry
from zoo.weights import filling


@pytest.mark.parametrize("architecture", first_of_each(["legacy_xception", "xception41"]))
def test_reproduces_timm(architecture, tmp_path):
    assert_classifier_reproduces(architecture, tmp_path)


@pytest.mark.slow  # whole networks
@pytest.mark.parametrize(
    ("name", "epsilon"),
    [
        ("legacy_xception", 1e-5),
        ("xception41", 1e-3),
        ("xception65", 1e-3),
        ("xception71", 1e-3),
        ("xception41p", 1e-5),
        ("xception65p", 1e-3),
    ],
)
def test_epsilon_of_the_normalisation(name, epsilon):
    norms = [layer for layer in abstract(name).layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {layer.epsilon for layer in norms} == {epsilon}


@pytest.mark.parametrize(
    ("name", "shapes"),
    [  # the stem of the published one does not pad
        ("legacy_xception", {2: (45, 29, 64), 4: (23, 15, 128), 8: (12, 8, 256), 16: (6, 4, 728), 32: (3, 2, 2048)}),
        ("xception41", {2: (48, 32, 128), 4: (24, 16, 256), 8: (12, 8, 728), 16: (6, 4, 1024), 32: (3, 2, 2048)}),
        ("xception71", {2: (48, 32, 128), 4: (24, 16, 256), 8: (12, 8, 728), 16: (6, 4, 1024), 32: (3, 2, 2048)}),
        ("xception41p", {2: (48, 32, 128), 4: (24, 16, 256), 8: (12, 8, 728), 16: (6, 4, 1024), 32: (3, 2, 2048)}),
    ],
)
def test_the_pyramid_holds_the_map_before_each_stride(name, shapes):
    model = abstract(name, input_shape=(96, 64, 3), features=True)
    assert {stride: output.shape[1:] for stride, output in model.output.items()} == shapes


@pytest.mark.slow  # whole networks
def test_with_activation_first_it_is_the_formula(tmp_path):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    entry = registry().find("xception65p")
    model = abstract("xception65p", config={**entry.config, "middle": 1}, num_classes=5)
    state = {name: golden_weight(name, tuple(shape)) for name, shape in timm_shapes(model).items()}
    save_file(state, tmp_path / "weights.safetensors")
    filling.fill(model, tmp_path / "weights.safetensors", file_format="timm")
    s = {name: torch.from_numpy(tensor) for name, tensor in state.items()}

    def convolve(x, name, stride=1, groups=1):
        kernel = s[f"{name}.weight"]
        return functional.conv2d(x, kernel, None, stride, kernel.shape[-1] // 2, 1, groups)

    def activate(x, name):
        statistics = (s[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return functional.relu(functional.batch_norm(x, *statistics, eps=1e-3))

    images = np.random.default_rng(0).integers(0, 256, (2, 67, 96, 3)).astype("float32")
    x = torch.from_numpy(images / 127.5 - 1).permute(0, 3, 1, 2)
    x = convolve(activate(convolve(x, "stem.0.conv", 2), "stem.0.bn"), "stem.1")
    for block, stride in enumerate([2, 2, 2, 1, 2, 1]):
        x = skip = activate(x, f"blocks.{block}.norm")
        for index in (1, 2, 3):
            name = f"blocks.{block}.stack.conv{index}"
            x = activate(x, f"{name}.norm") if index > 1 else x
            x = convolve(x, f"{name}.conv_dw", stride if index == 3 else 1, x.shape[1])
            x = convolve(x, f"{name}.conv_pw")
        if block < 5:
            x = x + (skip if block == 3 else convolve(skip, f"blocks.{block}.shortcut", stride))
    pooled = functional.relu(x).mean((2, 3))
    logits = functional.linear(pooled, s["head.fc.weight"], s["head.fc.bias"])
    assert_close(model(images), logits.numpy())


@pytest.mark.parametrize("name", ["legacy_xception", "xception41"])
def test_other_weights_are_refused(name, tmp_path):
    _, meta = read_golden(name)
    with pytest.raises(zoo.WeightsMismatchError, match="missing: blocks"):
        zoo.load("xception65", weights=write_hollow_checkpoint(meta["tensors"], tmp_path / "weights.safetensors"))
