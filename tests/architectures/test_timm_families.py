"""Every family of timm's, one member or more for each way in which its members differ, against timm.

The golden file of a member is the test: its tensors' names and shapes, each used once, the number of parameters, the
feature pyramid, the pooled features, and the logits.
"""

import keras
import numpy as np
import pytest

from tests.golden_files import assert_close, read_golden, trainable_parameters, write_golden_checkpoint
from zoo import architectures
from zoo.catalogue.registry import registry
from zoo.weights import filling

MEMBERS = [
    "convformer_s18",
    "ecaresnet26t",
    "efficientnet_es",
    "fbnetv3_b",
    "hardcorenas_a",
    "lcnet_050",
    "mixnet_s",
    "mnasnet_small",
    "mobilenetv4_conv_small",
    "poolformer_s12",
    "poolformerv2_s12",
    "regnetv_064",
    "regnetx_002",
    "resnet50_gn",
    "resnetv2_18d",
    "resnetv2_50x1_bit",
    "seresnext26d_32x4d",
    "test_resnet",
    "tf_efficientnet_cc_b0_4e",
    "tinynet_e",
]
# Those that are smaller than the published ones: what differs, here and in timm.
SMALLER = {"regnetv_064": {"depth": 8, "initial_width": 16, "slope": 12.0, "multiplier": 2.0, "group_width": 8}}
# Depths of which rounding to float32 alone moves the reference's pooled features by more than the tolerance.
ROUNDED = {"tf_efficientnet_cc_b0_4e"}


@pytest.fixture(autouse=True)
def clear():
    keras.utils.clear_session()
    yield
    keras.utils.clear_session()


def built(name, **update):
    entry = registry().find(name)
    with filling.abstract():
        return architectures.build(
            entry.model_copy(update={"config": {**entry.config, **SMALLER.get(name, {})}, **update})
        )


def with_intermediate_outputs(model, pyramid):
    """A model that also outputs what enters its head, and the maps that `pyramid`, built apart, outputs."""
    operations = {operation.name: operation for operation in model.operations}
    maps = [operations[output._keras_history.operation.name].output for output in pyramid.output.values()]
    return keras.Model(model.inputs, [model.get_layer(model.spec.classifier).input, model.output, *maps])


@pytest.mark.parametrize("name", MEMBERS)
def test_reproduces_timm(name, tmp_path):
    arrays, meta = read_golden(name)
    pyramid = built(name, features=True)
    model = built(name)
    whole = with_intermediate_outputs(model, pyramid)
    filling.fill(model, write_golden_checkpoint(name, tmp_path), file_format="timm", unused=model.spec.unused)
    assert trainable_parameters(model) == meta["params"]
    assert model.spec.input.mean == tuple(meta["mean"])
    assert model.spec.input.std == tuple(meta["std"])
    pooled, logits, *maps = whole([arrays["images"].astype("float32")])
    assert_close(logits, arrays["logits"])
    if (
        np.size(pooled[0]) == arrays["pooled"][0].size and name not in ROUNDED
    ):  # some heads have a wide layer in between
        assert_close(pooled, arrays["pooled"])
    stages = [arrays[key] for key in sorted(arrays) if key.startswith("stage")]
    height, width = arrays["images"].shape[1:3]
    for stride, output in zip(pyramid.output, maps, strict=True):
        assert output.shape[1:3] == (-(-height // stride), -(-width // stride))
    assert len(stages) in (0, len(maps))
    for output, stage in zip(maps, stages, strict=False):
        assert_close(keras.ops.mean(output, axis=(1, 2)), stage)
