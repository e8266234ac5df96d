"""VGG against timm."""

import keras
import numpy as np
import pytest

import zoo
from tests.golden_files import assert_classifier_reproduces, read_golden
from tests.marked_cases import first_of_each
from tests.timm_shapes import abstract, timm_shapes, write_hollow_checkpoint


@pytest.mark.slow  # 138 million parameters; names, shapes, depths and the pyramid are tested quickly below
@pytest.mark.parametrize("architecture", ["vgg16_bn", "vgg16"])  # 96 x 128: maps of 3 x 4 become 7 x 7
def test_reproduces_timm(architecture, tmp_path):
    model, _ = assert_classifier_reproduces(architecture, tmp_path)
    assert model.input_shape == (None, None, None, 3)


@pytest.mark.parametrize(
    ("name", "convolutions"), first_of_each([("vgg11", 8), ("vgg13_bn", 10), ("vgg16", 13), ("vgg19_bn", 16)])
)
def test_depth_and_normalisation(name, convolutions):
    layers = abstract(name).layers
    norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in layers) == convolutions + 2
    assert len(norms) == (convolutions if name.endswith("_bn") else 0)
    assert {layer.epsilon for layer in norms} <= {1e-5}


def test_the_pyramid_holds_the_maps_before_each_pooling_and_after_the_last():
    model = zoo.load("vgg11_bn", weights=None, features=True)
    maps = model(np.zeros((1, 70, 64, 3), "float32"))
    assert {stride: tuple(output.shape) for stride, output in maps.items()} == {
        1: (1, 70, 64, 64),
        2: (1, 35, 32, 128),
        4: (1, 17, 16, 256),
        8: (1, 8, 8, 512),
        16: (1, 4, 4, 512),
        32: (1, 2, 2, 512),
    }


def test_without_a_head_it_gives_the_4096_hidden_features():
    model = abstract("vgg16", num_classes=0)
    assert model.output_shape == (None, 4096)
    assert "head-fc" not in [layer.name for layer in model.layers]


def test_other_weights_are_refused(tmp_path):
    _, meta = read_golden("vgg16")
    shapes = meta["tensors"]
    assert shapes == timm_shapes(abstract("vgg16"))
    with pytest.raises(zoo.WeightsMismatchError, match=r"missing: features\.15\.bias"):
        zoo.load("vgg13", weights=write_hollow_checkpoint(shapes, tmp_path / "weights.safetensors"))
