"""ConvNeXt against timm. Runs on every backend."""

import json

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

import zoo
from tests.golden_files import assert_classifier_reproduces, assert_close, golden_state, read_golden
from zoo import architectures
from zoo.catalogue.registry import registry
from zoo.layers import SimpleNorm
from zoo.weights import filling

LARGER = pytest.param("convnext_tiny", marks=pytest.mark.slow)  # test_convnext of test_timm_families.py has its parts


@pytest.mark.parametrize("name", ["convnextv2_atto", "convnext_zepto_rms_ols", "convnext_atto_ols", LARGER])
def test_reproduces_timm(name, tmp_path):
    assert_classifier_reproduces(name, tmp_path)


@pytest.mark.slow  # a large network
@pytest.mark.parametrize(("name", "epsilon"), [("convnext_tiny", 1e-6), ("convnext_xxlarge", 1e-5)])
def test_epsilon_of_the_normalisation(name, epsilon):
    model = abstract(name)  # it moves the golden outputs by less than their tolerance
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.LayerNormalization)]
    assert len(norms) == 1 + sum(registry().find(name).config["depths"]) + 3 + 1
    assert {layer.epsilon for layer in norms} == {epsilon}
    norms = [layer for layer in abstract("convnext_zepto_rms").layers if isinstance(layer, SimpleNorm)]
    assert {layer.epsilon for layer in norms} == {1e-6}


def abstract(name, **update):
    """The network without values for its weights."""
    with filling.abstract():
        model = architectures.build(registry().find(name).model_copy(update=update))
    keras.utils.clear_session()
    return model


def test_feature_pyramid():
    model = zoo.load("convnextv2_atto", weights=None, features=True)
    maps = model(np.zeros((1, 67, 96, 3), "uint8"))
    assert {stride: tuple(output.shape) for stride, output in maps.items()} == {
        4: (1, 16, 24, 40),
        8: (1, 8, 12, 80),
        16: (1, 4, 6, 160),
        32: (1, 2, 3, 320),
    }


@pytest.mark.parametrize("name", ["convnext_tiny_hnf", "convnext_large_mlp"])
def test_other_heads(name):
    model = abstract(name)
    names = [layer.name for layer in model.layers]
    before = {
        "convnext_tiny_hnf": ["norm_pre", "global_pool", "head-fc"],
        "convnext_large_mlp": ["global_pool", "head-norm", "head-pre_logits-fc", "head-fc"],
    }[name]
    assert names[-len(before) :] == before


def test_other_weights_are_refused(tmp_path):
    path, state = tmp_path / "weights.safetensors", golden_state("convnextv2_atto")
    wrong = {
        "missing: stages.2.blocks.5": {n: v for n, v in state.items() if not n.startswith("stages.2.blocks.5.")},
        "missing: head.fc.bias": {n: v for n, v in state.items() if not n.startswith("head.fc.")},
        "missing: head.norm.bias": {n: v for n, v in state.items() if not n.startswith("head.norm.")},
        "misshapen: head.fc.bias": {**state, "head.fc.bias": np.zeros(10, "float32")},
    }
    for problem, tensors in wrong.items():
        save_file(tensors, path)
        with pytest.raises(zoo.WeightsMismatchError, match=problem):
            zoo.load("convnextv2_atto", weights=path)
    with pytest.raises(zoo.WeightsMismatchError, match=r"missing: stages\.0\.blocks\.0\."):  # version 1
        zoo.load("convnext_atto", weights=path)


def test_a_checkpoint_without_a_head_gives_features(tmp_path):
    arrays, _ = read_golden("convnextv2_atto")
    state = {n: v for n, v in golden_state("convnextv2_atto").items() if not n.startswith("head.fc.")}
    save_file(state, tmp_path / "weights.safetensors")
    model = zoo.load("convnextv2_atto.fcmae", weights=tmp_path / "weights.safetensors")
    assert_close(model(arrays["images"].astype("float32")), arrays["pooled"])
    (record,) = zoo.predict(model, arrays["images"][0])
    assert (record["task"], len(record["features"])) == ("image-features", 320)


@pytest.mark.parametrize(
    ("tag", "num_classes", "task"), [("fcmae", 0, "image-features"), ("mine", 3, "image-classification")]
)
def test_timm_repositories_without_a_head_are_recognised(tag, num_classes, task, tmp_path):
    config = {
        "architecture": "convnextv2_atto",
        "num_classes": num_classes,
        "pretrained_cfg": {"tag": tag, "input_size": [3, 224, 224]},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    entry = zoo.info(str(tmp_path))
    assert (entry.task, entry.num_classes) == (task, num_classes)


def test_masked_autoencoders_may_lack_the_last_normalisation_and_nothing_else(tmp_path):
    state = {n: v for n, v in golden_state("convnextv2_atto").items() if not n.startswith("head.")}
    path = tmp_path / "weights.safetensors"
    save_file(state, path)
    norm = zoo.load("convnextv2_atto.fcmae", weights=path).get_layer("head-norm")
    assert np.all(keras.ops.convert_to_numpy(norm.gamma) == 1)  # as timm leaves it
    assert np.all(keras.ops.convert_to_numpy(norm.beta) == 0)
    del state["stem.1.bias"]
    save_file(state, path)
    with pytest.raises(zoo.WeightsMismatchError, match=r"missing: stem\.1\.bias"):
        zoo.load("convnextv2_atto.fcmae", weights=path)


@pytest.mark.parametrize("name", ["convnext_base.clip_laion2b", "convnext_base.dinov3_lvd1689m"])
def test_embeddings_are_features_and_a_new_head_makes_a_classifier(name):
    entry = registry().find(name)
    assert (entry.task, entry.labels) == ("image-features", None)
    with filling.abstract():
        model = zoo.load(name, weights=None, num_classes=3)
    keras.utils.clear_session()
    assert (model.spec.task, model.output_shape) == ("image-classification", (None, 3))
