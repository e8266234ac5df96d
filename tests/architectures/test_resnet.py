"""ResNets against timm; their grouped, squeezing and scaled relatives against the formula on PyTorch."""

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

import zoo
from tests.golden_files import (
    assert_classifier_reproduces,
    assert_close,
    golden_weight,
    read_golden,
    trainable_parameters,
)
from tests.marked_cases import first_of_each
from tests.timm_shapes import abstract, timm_shapes, write_hollow_checkpoint
from zoo.model import ZooModel
from zoo.weights import filling


@pytest.mark.parametrize("architecture", first_of_each(["resnet18", "resnetblur50", "resnetaa50", "resnet50"]))
def test_reproduces_timm(architecture, tmp_path):
    model, arrays = assert_classifier_reproduces(architecture, tmp_path)
    stages = keras.Model(model.inputs, [model.get_layer(name).output for name in stage_ends(model)])
    for index, output in enumerate(stages([arrays["images"].astype("float32")])):
        assert_close(np.asarray(output).mean(axis=(1, 2)), arrays[f"stage{index}_mean"])


def stage_ends(model):
    names = [layer.name for layer in model.layers if layer.name.endswith("-add")]
    lasts = {name.split("-")[0]: name for name in names}
    after = [model.layers[[layer.name for layer in model.layers].index(name) + 1].name for name in lasts.values()]
    return ["act1", *after]


@pytest.mark.parametrize(
    ("name", "parameters", "tensors"),
    first_of_each([  # torchvision states the parameters of its five, timm's table two decimals of a million
        ("resnext50_32x4d", 25_028_904, {"layer1.0.conv2.weight": [128, 4, 3, 3]}),
        ("resnext50d_32x4d", 25_048_136, {"layer2.0.downsample.1.weight": [512, 256, 1, 1]}),
        ("resnext101_32x8d", 88_791_336, {"layer4.2.conv2.weight": [2048, 64, 3, 3]}),
        ("resnext101_64x4d", 83_455_272, {"layer1.0.conv2.weight": [256, 4, 3, 3]}),
        ("wide_resnet50_2", 68_883_240, {"layer1.0.conv2.weight": [128, 128, 3, 3], "layer1.0.bn3.bias": [256]}),
        ("wide_resnet101_2", 126_886_696, {"layer3.22.conv2.weight": [512, 512, 3, 3]}),
        ("seresnet50", 28_088_024, {"layer1.0.se.fc1.weight": [16, 256, 1, 1], "layer4.2.se.fc2.bias": [2048]}),
        ("resnetrs50", 35_691_912, {"maxpool.0.weight": [64, 64, 3, 3], "layer1.0.se.fc1.weight": [64, 256, 1, 1]}),
    ]),
)  # fmt: skip
def test_tensors_of_the_relatives(name, parameters, tensors):
    model = abstract(name)
    assert trainable_parameters(model) == parameters
    shapes = timm_shapes(model)
    assert {tensor: shapes.get(tensor) for tensor in tensors} == tensors
    assert {layer.epsilon for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)} == {1e-5}


@pytest.mark.parametrize(
    ("groups", "base_width", "squeeze"),
    first_of_each([(64, 4, 0.0625), (1, 128, 0.25), (32, 4, None)]),
)
def test_grouped_wide_and_squeezing_blocks_are_the_formula(groups, base_width, squeeze, tmp_path):
    torch = pytest.importorskip("torch")
    config = {"depths": [2, 1, 1, 1], "bottleneck": True, "stem_kind": "deep", "stem_filters": 32, "stem_pool": "conv"}
    config |= {"shortcut_kind": "average", "groups": groups, "base_width": base_width, "squeeze": squeeze}
    model = abstract("resnetrs50", config=config, num_classes=5)
    state = {name: golden_weight(name, tuple(shape)) for name, shape in timm_shapes(model).items()}
    save_file(state, tmp_path / "weights.safetensors")
    filling.fill(model, tmp_path / "weights.safetensors", file_format="timm")
    images = np.random.default_rng(0).integers(0, 256, (2, 65, 96, 3)).astype("float32")
    x = torch.from_numpy((images / 255 - model.spec.input.mean) / model.spec.input.std).float().permute(0, 3, 1, 2)
    reference = TorchResNet(torch, state, groups).logits(x, config["depths"])
    assert_close(model(images), reference.numpy())


class TorchResNet:
    """timm's ResNet with a deep stem and average pooling in its shortcuts, written once more in PyTorch's functions."""

    def __init__(self, torch, state, groups):
        self.functional = torch.nn.functional
        self.state = {name: torch.from_numpy(tensor) for name, tensor in state.items()}
        self.groups = groups

    def convolve(self, x, name, stride=1, groups=1):
        kernel, bias = self.state[f"{name}.weight"], self.state.get(f"{name}.bias")
        return self.functional.conv2d(x, kernel, bias, stride, kernel.shape[-1] // 2, 1, groups)

    def normalise(self, x, name):
        parts = ("running_mean", "running_var", "weight", "bias")
        return self.functional.batch_norm(x, *(self.state[f"{name}.{part}"] for part in parts), eps=1e-5)

    def level(self, x, convolution, norm, stride=1, groups=1):
        return self.normalise(self.convolve(x, convolution, stride, groups), norm).relu()

    def block(self, x, name, stride):
        y = self.level(x, f"{name}.conv1", f"{name}.bn1")
        y = self.level(y, f"{name}.conv2", f"{name}.bn2", stride, self.groups)
        y = self.normalise(self.convolve(y, f"{name}.conv3"), f"{name}.bn3")
        if f"{name}.se.fc1.weight" in self.state:
            gate = self.convolve(y.mean((2, 3), keepdim=True), f"{name}.se.fc1").relu()
            y = y * self.convolve(gate, f"{name}.se.fc2").sigmoid()
        if f"{name}.downsample.1.weight" in self.state:
            x = self.functional.avg_pool2d(x, 2, 2, ceil_mode=True, count_include_pad=False) if stride > 1 else x
            x = self.normalise(self.convolve(x, f"{name}.downsample.1"), f"{name}.downsample.2")
        return (x + y).relu()

    def logits(self, x, depths):
        x = self.level(x, "conv1.0", "conv1.1", 2)
        x = self.level(x, "conv1.3", "conv1.4")
        x = self.level(x, "conv1.6", "bn1")
        x = self.level(x, "maxpool.0", "maxpool.1", 2)
        for stage, depth in enumerate(depths):
            for index in range(depth):
                x = self.block(x, f"layer{stage + 1}.{index}", 2 if stage > 0 and index == 0 else 1)
        return self.functional.linear(x.mean((2, 3)), self.state["fc.weight"], self.state["fc.bias"])


@pytest.mark.slow  # a thousand layers
def test_a_very_deep_network_builds_and_comes_back_from_its_configuration():
    model = abstract("resnetrs270")  # more than 1,000 layers in a row: Keras walks them by recursion
    with filling.abstract():
        again = ZooModel.from_config(model.get_config())
    assert trainable_parameters(again) == trainable_parameters(model)
    keras.utils.clear_session()


@pytest.mark.slow  # of other networks it is tested quick
def test_the_pyramid_of_a_relative():
    model = abstract("seresnet152d", input_shape=(96, 64, 3), features=True)
    assert {stride: output.shape[1:] for stride, output in model.output.items()} == {
        2: (48, 32, 64),
        4: (24, 16, 256),
        8: (12, 8, 512),
        16: (6, 4, 1024),
        32: (3, 2, 2048),
    }


@pytest.mark.slow  # test_loading.py refuses them too
def test_other_weights_are_refused(tmp_path):
    plain = read_golden("resnet50")[1]["tensors"]
    resnext = timm_shapes(abstract("resnext50_32x4d"))
    for name, tensors, problem in [
        ("resnext50_32x4d", plain, r"misshapen: layer1\.0\."),
        ("seresnet50", plain, r"missing: layer1\.0\.se\.fc1\.bias"),
        ("resnext101_32x4d", resnext, r"missing: layer3\.10\."),
    ]:
        with pytest.raises(zoo.WeightsMismatchError, match=problem):
            zoo.load(name, weights=write_hollow_checkpoint(tensors, tmp_path / "weights.safetensors"))
