"""DenseNets against timm."""

import keras
import pytest

import zoo
from tests.golden_files import assert_classifier_reproduces, read_golden, trainable_parameters
from tests.marked_cases import first_of_each
from tests.timm_shapes import abstract, write_hollow_checkpoint


@pytest.mark.parametrize("architecture", first_of_each(["densenetblur121d", "densenet121"]))
def test_reproduces_timm(architecture, tmp_path):
    assert_classifier_reproduces(architecture, tmp_path)


@pytest.mark.slow  # large networks
@pytest.mark.parametrize(
    ("name", "parameters"),
    [("densenet169", 14_149_480), ("densenet161", 28_681_000), ("densenet201", 20_013_928)],
)
def test_sizes_of_the_paper_have_the_parameters_that_torchvision_states(name, parameters):
    model = abstract(name)
    assert trainable_parameters(model) == parameters
    epsilons = {layer.epsilon for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)}
    assert epsilons == {1e-5}


@pytest.mark.parametrize("name", ["densenet121", "densenetblur121d"])
def test_the_pyramid_holds_the_end_of_each_block(name):
    model = abstract(name, input_shape=(96, 64, 3), features=True)
    assert {stride: output.shape[1:] for stride, output in model.output.items()} == {
        2: (48, 32, 64),
        4: (24, 16, 256),
        8: (12, 8, 512),
        16: (6, 4, 1024),
        32: (3, 2, 1024),
    }


def test_without_a_head_it_gives_pooled_features():
    assert abstract("densenet161", num_classes=0).output_shape == (None, 2208)


def test_other_weights_are_refused(tmp_path):
    _, meta = read_golden("densenet121")
    path = write_hollow_checkpoint(meta["tensors"], tmp_path / "weights.safetensors")
    for name, problem in [
        ("densenet169", r"missing: features\.denseblock3\.denselayer25"),
        ("densenetblur121d", r"missing: features\.conv1\.weight"),
    ]:
        with pytest.raises(zoo.WeightsMismatchError, match=problem):
            zoo.load(name, weights=path)
