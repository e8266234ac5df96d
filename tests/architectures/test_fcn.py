"""FCN: VGG16's file in its trunk, how the skips join, what it is before it is trained, and any size of image."""

import keras
import numpy as np
import pytest

import zoo
from tests.timm_shapes import abstract, timm_shapes
from zoo.architectures.fcn import fcn
from zoo.weights import filling
from zoo.weights.untrained import untrained

SMALL = {
    "filters": (4, 6, 8, 8, 8),
    "depths": (1, 1, 1, 1, 1),
    "dense_filters": 8,
    "dense_kernel_size": 3,
    "dropout": 0,
}
SKIPS = {32: [], 16: ["score_pool4"], 8: ["score_pool4", "score_pool3"]}


def build(stride, num_classes=3, **arguments):
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, fcn(image, num_classes=num_classes, stride=stride, **arguments))


def images(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_the_trunk_is_vgg16():
    vgg = timm_shapes(abstract("vgg16"))
    with filling.abstract():
        ours = timm_shapes(build(8, 21))
    trunk = {name: shape for name, shape in vgg.items() if not name.startswith("head.")}
    assert len(trunk) == 2 * (13 + 2)
    assert {name: shape for name, shape in ours.items() if name in trunk} == trunk
    assert ours.keys() - trunk.keys() == {
        *(f"{name}.{part}" for name in ("score_fr", "score_pool4", "score_pool3") for part in ("weight", "bias")),
        "upscore2.weight",
        "upscore_pool4.weight",
    }


@pytest.mark.parametrize("stride", SKIPS)
def test_the_finer_ones_have_more_skips(stride):
    names = {layer.name for layer in build(stride, **SMALL).layers}
    assert {name for name in names if name.startswith("score_pool")} == set(SKIPS[stride])


@pytest.mark.parametrize("stride", SKIPS)
def test_before_it_is_trained_all_scores_are_zero(stride):
    assert not np.asarray(build(stride, **SMALL)(images(1, 40, 33, 3))).any()


@pytest.mark.parametrize("stride", SKIPS)
def test_any_height_and_width(stride):
    model = build(stride, batch_normalization=True, **SMALL)
    for height, width in ((70, 33), (1, 17), (64, 96)):
        assert model(images(1, height, width, 3)).shape == (1, height, width, 3)


def test_the_skips_are_added_to_the_coarser_scores():
    model = build(8, **SMALL)
    biases = {"score_fr": [1.0, 0, 0], "score_pool4": [0, 2.0, 0], "score_pool3": [0, 0, 4.0]}
    for name, bias in biases.items():
        layer = model.get_layer(name)
        layer.set_weights([np.zeros(layer.kernel.shape), np.array(bias)])
    logits = np.asarray(model(images(1, 320, 320, 3)))[0]
    # Beyond the border the transposed convolutions see zeros: two of them on the way of the coarsest, one of the next.
    np.testing.assert_allclose(logits[64:-64, 64:-64], np.broadcast_to([1.0, 2.0, 4.0], (192, 192, 3)), atol=1e-5)
    assert (logits[..., 2] == 4).all()


def test_a_skip_sees_the_third_pooling():
    model = build(8, **SMALL)
    layer = model.get_layer("score_pool3")
    kernel = np.zeros(layer.kernel.shape)
    kernel[..., 0] = 1
    layer.set_weights([kernel, np.zeros(3)])
    pooled = keras.Model(model.input, model.get_layer("features-8").output)
    image = images(1, 64, 96, 3)
    sums = np.asarray(pooled(image)).sum(axis=-1)
    assert sums.shape == (1, 8, 12)
    enlarged = keras.ops.image.resize(sums[..., None], (64, 96), interpolation="bilinear", data_format="channels_last")
    np.testing.assert_allclose(np.asarray(model(image))[..., 0], np.asarray(enlarged)[..., 0], rtol=1e-4, atol=1e-4)


def test_save_and_load(tmp_path):
    model = build(8, batch_normalization=True, **SMALL)
    model.get_layer("score_pool3").set_weights([images(1, 1, 8, 3), np.zeros(3)])
    model.save(tmp_path / "fcn.keras")
    image = images(1, 40, 33, 3)
    reloaded = keras.saving.load_model(tmp_path / "fcn.keras")
    np.testing.assert_array_equal(reloaded.predict(image, verbose=0), model.predict(image, verbose=0))


@pytest.mark.parametrize("stride", SKIPS)
def test_other_classes_make_all_scores_new_and_leave_the_trunk(stride):
    before, after = zoo.load(f"fcn{stride}s-small"), zoo.load(f"fcn{stride}s-small", num_classes=3)
    assert after(images(1, 32, 32, 3)).shape == (1, 32, 32, 3)
    assert after.spec.random == "head"
    assert untrained(after)
    known = {weight.path: weight for weight in before.weights}
    for weight in after.weights:
        same = known[weight.path].shape == weight.shape and np.array_equal(known[weight.path], weight)
        assert same == ("score" not in weight.path), weight.path
