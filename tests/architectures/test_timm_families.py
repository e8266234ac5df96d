"""Every family of timm's, one member or more for each way in which its members differ, against timm.

The golden file of a member is the test: its tensors' names and shapes, each used once, the number of parameters, the
feature pyramid, the pooled features, the logits, and the tensors that go back to timm, equal to the bit.
"""

import keras
import numpy as np
import pytest

from tests.golden_files import assert_close, golden_state, read_golden, trainable_parameters, write_golden_checkpoint
from tests.marked_cases import slow_except
from zoo import architectures
from zoo.catalogue.registry import registry
from zoo.export.to_timm import timm_tensors
from zoo.weights import filling

MEMBERS = [
    "convformer_s18",
    "cs3darknet_focus_s",
    "cspdarknet53",
    "cspnext_tiny",
    "cspresnet50",
    "dla34",
    "dpn68",
    "eca_nfnet_l0",
    "ecaresnet26t",
    "efficientnet_es",
    "ese_vovnet19b_dw",
    "fasternet_t0",
    "fbnetv3_b",
    "focalnet_tiny_srf",
    "gcresnet33ts",
    "gernet_s",
    "ghostnet_100",
    "ghostnetv2_100",
    "ghostnetv3_100",
    "hardcorenas_a",
    "hgnet_tiny",
    "hgnetv2_b0",
    "hrnet_w18_small",
    "inception_next_atto",
    "inception_v3",
    "lcnet_050",
    "lcnetv2_small",
    "lowformer_e1",
    "mambaout_femto",
    "mixnet_s",
    "mnasnet_small",
    "mobilenetv4_conv_small",
    "mobileone_s0",
    "mobileone_s4",
    "nasnetalarge",
    "nf_regnet_b1",
    "nf_resnet50",
    "pnasnet5large",
    "poolformer_s12",
    "poolformerv2_s12",
    "rdnet_tiny",
    "regnetv_064",
    "regnetx_002",
    "regnetz_b16",
    "repghostnet_050",
    "repvgg_a0",
    "repvgg_d2se",
    "repvit_m0_9",
    "repvit_m1",
    "resnest14d",
    "resnet50_clip_gap",
    "resnet50_gn",
    "resnetv2_18d",
    "resnetv2_50x1_bit",
    "rexnet_100",
    "selecsls42b",
    "seresnext26d_32x4d",
    "skresnet18",
    "starnet_s1",
    "test_byobnet",
    "test_convnext",
    "test_convnext3",
    "test_efficientnet_evos",
    "test_efficientnet_gn",
    "test_nfnet",
    "test_resnet",
    "tf_efficientnet_cc_b0_4e",
    "tinynet_e",
    "tresnet_m",
]
# Those that are smaller than the published ones: what differs, here and in timm.
SMALLER = {
    "mobileone_s4": {
        "depths": [1, 1, 2, 1],
        "filters": [16, 32, 64, 128],
        "stem_filters": 16,
        "squeezed": [0, 0, 1, 1],
    },
    "nasnetalarge": {"filters": 24, "stem_filters": 16},
    "pnasnet5large": {"filters": 24, "stem_filters": 16},
    "regnetv_064": {"depth": 8, "initial_width": 16, "slope": 12.0, "multiplier": 2.0, "group_width": 8},
    "repvgg_d2se": {"depths": [1, 2, 1, 1], "filters": [16, 32, 64, 128], "stem_filters": 16},
}
# Of these, rounding to float32 alone moves the pooled features by about the tolerance.
ROUNDED = {"tf_efficientnet_cc_b0_4e"}
# Compared in every run: small ones of several ways to compute. `make test-all` compares all, and `test_parameters.py`
# names and shapes of more.
QUICK = {"lcnet_050", "starnet_s1", "test_byobnet", "test_resnet"}
UNPADDED = {"inception_v3", "nasnetalarge", "pnasnet5large"}  # its maps are smaller than their stride says


@pytest.fixture(autouse=True)
def clear():
    keras.utils.clear_session()
    yield
    keras.utils.clear_session()


def built(name, **update):
    entry = registry().find(name)
    keras.utils.clear_session()  # so that operations without a name of their own get the same names in every build
    with filling.abstract():
        return architectures.build(
            entry.model_copy(update={"config": {**entry.config, **SMALLER.get(name, {})}, **update})
        )


def pooled_features(model):
    """What enters the head: for some a normalisation that belongs to it, for some the outputs."""
    if not model.spec.num_classes:
        return model.output
    if len(model.spec.head) > 1:
        return model.get_layer("global_pool").output
    return model.get_layer(model.spec.classifier).input


def with_intermediate_outputs(model, pyramid):
    """A model that also outputs what enters its head, and the maps that `pyramid`, built apart, outputs."""
    operations = {operation.name: operation for operation in model.operations}
    maps = [operations[output._keras_history.operation.name].output for output in pyramid.output.values()]
    return keras.Model(model.inputs, [pooled_features(model), model.output, *maps])


def assert_as_it_came(model, name):
    """What goes back to timm has the names, shapes and values of what filled the network."""
    tensors, expected = timm_tensors(model), golden_state(name)
    assert tensors.keys() == {key for key in expected if not filling._any((*model.spec.unused, filling.COUNTERS), key)}
    for key, values in tensors.items():
        assert values.shape == np.shape(expected[key]), key  # PyTorch compares shapes, with axes of length 1
        np.testing.assert_array_equal(values, expected[key])


@pytest.mark.parametrize("name", slow_except(QUICK, MEMBERS))
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
        assert name in UNPADDED or output.shape[1:3] == (-(-height // stride), -(-width // stride))
    assert len(stages) in (0, len(maps))
    for output, stage in zip(maps, stages, strict=False):
        assert_close(keras.ops.mean(output, axis=(1, 2)), stage)
    assert_as_it_came(model, name)
