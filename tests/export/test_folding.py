"""Fewer layers, the same outputs: batch normalisation folded, and the branches of re-parameterised networks fused."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import zoo
import zoo.export
from tests.marked_cases import first_of_each, slow_except
from zoo import architectures
from zoo.catalogue.registry import registry
from zoo.export.folding import folded, fused
from zoo.layers import StandardizedConv2D
from zoo.model import ZooModel

GENERATOR = np.random.default_rng(0)
# Small members of the families that are trained as branches, with how many sums are left: of residual connections.
BRANCHED = {
    "repvgg_b1g4": ({"depths": [1, 2, 1, 1], "filters": [8, 16, 16, 32], "stem_filters": 8, "groups": 4}, 0),
    "repvgg_d2se": ({"depths": [1, 2, 1, 1], "filters": [16, 16, 32, 32], "stem_filters": 16}, 0),
    "mobileone_s0": ({"depths": [1, 2, 1, 1], "filters": [8, 16, 16, 32], "stem_filters": 8, "copies": 3}, 0),
    "repvit_m1": ({"depths": [1, 1, 1, 1], "filters": [8, 16, 16, 32]}, 3 + 4 + 3),
    "repvit_m0_9": ({"depths": [1, 1, 1, 1], "filters": [8, 16, 16, 32]}, 3 + 4 + 3),
    "repghostnet_050": ({"stages": [[[3, 8, 16, 0, 1]], [[5, 24, 24, 0.25, 2], [3, 36, 24, 0, 1]]]}, 3),
    "ghostnetv3_100": ({"stages": [[[3, 8, 16, 0, 1]], [[5, 24, 24, 0.25, 2], [3, 36, 24, 0, 1]]]}, 3),
    "lcnetv2_small": ({"depths": [1, 1, 2, 2], "width": 0.25}, 1),
}
QUICK = {"repvgg_b1g4", "mobileone_s0", "lcnetv2_small"}  # all kinds of branches are in `terms` too


def made(image, outputs):
    """A model between tensors, disturbed."""
    model = ZooModel(image, outputs)
    model.spec = zoo.info("espcn-x2")
    return disturbed(model)


def disturbed(model):
    """With random statistics, so that no normalisation is the identity."""
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([GENERATOR.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return model


def small(name, **update):
    entry = registry().find(name)
    changes = {"config": {**entry.config, **BRANCHED[name][0]}, "num_classes": 5, "labels": None, **update}
    entry = entry.model_copy(update={**changes, "input": entry.input.model_copy(update={"size": 32})})
    return disturbed(architectures.build(entry))


def count(model, *kinds):
    return sum(isinstance(layer, kinds) for layer in model.layers)


def assert_equal(network, model, shape):
    images = GENERATOR.uniform(0, 255, (2, *shape)).astype("float32")
    for output, expected in zip(keras.tree.flatten(network(images)), keras.tree.flatten(model(images)), strict=True):
        np.testing.assert_allclose(output, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", slow_except(QUICK, BRANCHED))
def test_branches_become_one_convolution(name):
    model = small(name)
    network = fused(model)
    assert count(network, layers.Add) == BRANCHED[name][1] < count(model, layers.Add)
    heads = 2 if name.startswith("repvit") else 0  # which normalise what was pooled
    assert count(network, layers.BatchNormalization) == heads
    for shape in ((64, 64, 3), (65, 97, 3)):
        assert_equal(network, model, shape)


@pytest.mark.parametrize("name", first_of_each(["repvgg_b1g4", "ghostnetv3_100"]))
def test_the_maps_of_a_pyramid_stay_when_branches_are_fused(name):
    model = small(name, features=True)
    network = folded(model)
    assert list(network.output) == list(model.output)
    assert_equal(network, model, (64, 96, 3))


def terms(case):
    """Sums that look like branches and cannot be one convolution."""
    image = keras.Input((9, 9, 4), name="image")
    padded = layers.ZeroPadding2D(1)(image)
    three = layers.Conv2D(4, 3, padding="same", name="three")(image)
    outputs = {
        "another map": lambda: [three, layers.Conv2D(4, 1)(layers.ReLU()(image))],
        "even kernel": lambda: [three, layers.Conv2D(4, 2, padding="same")(image)],
        "dilated": lambda: [three, layers.Conv2D(4, 3, padding="same", dilation_rate=2)(image)],
        "activated": lambda: [three, layers.Conv2D(4, 1, activation="relu")(image)],
        "other groups": lambda: [three, layers.Conv2D(4, 1, groups=2)(image)],
        "depthwise": lambda: [three, layers.DepthwiseConv2D(1)(image)],
        "not centred": lambda: [
            layers.Conv2D(4, 3, strides=2)(padded),
            layers.Conv2D(4, 3, strides=2, padding="same")(image),
        ],
        "other strides": lambda: [layers.Conv2D(4, 3)(image), layers.Conv2D(4, 1)(layers.Cropping2D(1)(image))],
        "across": lambda: [
            layers.Conv2D(4, (1, 5), padding="same")(image),
            layers.Conv2D(4, (5, 1), padding="same")(image),
        ],
        "another axis": lambda: [three, layers.BatchNormalization(axis=1)(image)],
        "standardised": lambda: [three, StandardizedConv2D(4, 1)(image)],
        "only identities": lambda: [image, layers.BatchNormalization()(image)],
        "every channel": lambda: [layers.Conv2D(1, 3, padding="same")(image), image],
    }[case]()
    return image, outputs


CASES = [
    "another map", "even kernel", "dilated", "activated", "other groups", "depthwise", "not centred", "other strides",
    "across", "another axis", "standardised", "only identities", "every channel",
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_one_convolution_stays_apart(case):
    image, outputs = terms(case)
    model = made(image, layers.Add()(outputs))
    assert fused(model) is model
    assert_equal(folded(model), model, (9, 9, 4))


@pytest.mark.parametrize("read_by", ["another layer", "the outputs"])
def test_a_branch_that_is_read_elsewhere_stays(read_by):
    image = keras.Input((9, 9, 4), name="image")
    branch = layers.Conv2D(4, 3, padding="same")(image)
    x = layers.Add()([branch, layers.Conv2D(4, 1)(image)])
    outputs = layers.Multiply()([x, branch]) if read_by == "another layer" else {"sum": x, "branch": branch}
    model = made(image, outputs)
    assert fused(model) is model
    assert_equal(folded(model), model, (9, 9, 4))


def test_one_branch_may_be_added_twice_and_a_third_time_after_a_normalisation():
    image = keras.Input((9, 9, 4), name="image")
    branch = layers.Conv2D(4, 3, padding="same")(image)
    x = layers.BatchNormalization()(layers.Add()([branch, branch, layers.Conv2D(4, 1, use_bias=False)(image)]))
    model = made(image, layers.Add()([x, image, layers.BatchNormalization()(image)]))
    network = fused(model)
    assert [type(layer).__name__ for layer in network.layers] == ["InputLayer", "Conv2D"]
    assert_equal(network, model, (9, 9, 4))


def test_a_convolution_that_is_an_output_is_not_folded_into():
    image = keras.Input((9, 9, 4), name="image")
    x = layers.Conv2D(4, 3, name="conv")(image)
    model = made(image, {"conv": x, "norm": layers.BatchNormalization(name="bn")(x)})
    assert_equal(folded(model), model, (9, 9, 4))


def test_a_kernel_that_is_standardised_is_not_folded_into():
    image = keras.Input((9, 9, 4), name="image")
    model = made(image, layers.BatchNormalization()(StandardizedConv2D(4, 3)(image)))
    assert_equal(folded(model), model, (9, 9, 4))


@pytest.mark.slow  # two formats; the network that they write is tested above
def test_exports_for_inference_hold_one_convolution_for_its_branches(tmp_path):
    model = small("repvgg_d2se")
    network = fused(model)
    loaded = tf.saved_model.load(zoo.export.saved_model(model, tmp_path, allow_random=True, inference_only=True))
    assert len(loaded.variables) == len(network.variables) < len(model.variables) / 2
    onnx = pytest.importorskip("onnx", reason="layerzoo[onnx] is not installed")
    graph = onnx.load(zoo.export.onnx(model, tmp_path, allow_random=True) / "model.onnx").graph
    convolutions = count(network, layers.Conv2D)
    assert sum(node.op_type == "Conv" for node in graph.node) == convolutions < count(model, layers.Conv2D)


def test_folding_leaves_no_batch_normalisation_and_the_same_outputs(classifier):
    images = np.random.default_rng(0).integers(0, 256, (2, 48, 40, 3)).astype("float32")
    network = folded(classifier)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers)
    expected, outputs = classifier(images).numpy(), network(images).numpy()
    assert np.abs(outputs - expected).max() <= 1e-5 * np.abs(expected).max()


def test_folding_spares_what_another_layer_reads():
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(4, 3, name="read-twice")(image)
    y = keras.layers.BatchNormalization(name="bn")(x)
    model = made(image, keras.layers.Add()([x, y]))
    assert isinstance(folded(model).get_layer("bn"), keras.layers.BatchNormalization)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.DepthwiseConv2D(3, depth_multiplier=2),
        keras.layers.Conv2DTranspose(5, 3, use_bias=False),
        keras.layers.SeparableConv2D(4, 3),
        keras.layers.Dense(6),
    ],
)
def test_folding_scales_the_right_axis(layer):
    image = keras.Input((8, 8, 3), name="image")
    norm = keras.layers.BatchNormalization()
    model = made(image, norm(layer(image)))
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(folded(model)(images), model(images), atol=1e-6)
