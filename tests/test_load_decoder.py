"""A pretrained encoder with a new decoder: `zoo.load(name, decoder=...)`."""

import keras
import numpy as np
import pytest

import zoo
from zoo.weights.untrained import untrained

ENCODER = "tf_efficientnet_lite0"
SMALL = {"filters": (8, 8, 8, 8, 8)}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return zoo.load(ENCODER, decoder="unet", decoder_options=SMALL, num_classes=3)


def test_the_encoder_is_pretrained_and_the_decoder_is_not(model):
    random = {path.split("/")[0] for path in untrained(model)}
    assert random
    assert all(name.startswith(("decoder-", "segmentation_head-")) for name in random)
    spec = model.spec
    assert (spec.task, spec.random, spec.num_classes, spec.labels) == ("semantic-segmentation", "head", 3, None)
    assert (spec.name, spec.base.name) == (f"unet-{ENCODER}.in1k", f"{ENCODER}.in1k")
    pyramid, image = zoo.load(ENCODER, features=True), np.full((1, 64, 64, 3), 99, "float32")
    encoder = keras.Model(model.input, [model.get_layer(name).output for name in ("blocks-2-1-add", "blocks-6-0-bn3")])
    for ours, theirs in zip(encoder(image), (pyramid(image)[8], pyramid(image)[32]), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_logits_are_as_large_as_the_image_of_any_size(model):
    assert model(np.zeros((1, 45, 70, 3))).shape == (1, 45, 70, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"decoder": "unet"}, "how many classes there are"),
        ({"decoder": "unet", "num_classes": 0}, "how many classes there are"),
        ({"decoder": "u-net", "num_classes": 3}, "Expected None, or one of .*fpn, retinanet, segnet, unet"),
        (
            {"decoder": "unet", "num_classes": 3, "decoder_options": {"filter": 3}},
            "'filter' is not an option .* filters",
        ),
        ({"decoder_options": {"filters": 3}}, "without decoder="),
    ],
)
def test_what_makes_no_decoder_is_one_error(arguments, message):
    with pytest.raises(zoo.errors.InputError, match=message):
        zoo.load(ENCODER, **arguments)


@pytest.mark.parametrize("name", ["espcn-x2", "medicalnet_resnet10", "coordconv-classifier"])
def test_a_network_without_a_pyramid_of_an_image_takes_no_decoder(name):
    with pytest.raises(zoo.errors.InputError, match="no feature pyramid of an image"):
        zoo.load(name, decoder="unet", num_classes=2, weights=None)


def test_strides_choose_maps_of_the_pyramid():
    model = zoo.load("test_resnet", weights=None, features=[8, 16])
    assert (list(model.output), model.spec.features) == ([8, 16], (8, 16))
    with pytest.raises(zoo.InputError, match=r"^features=\(64,\), and test_resnet.* no map of stride 64. .* 16, 32"):
        zoo.load("test_resnet", weights=None, features=(64,))


def test_an_output_stride_dilates_in_place_of_striding():
    usual = zoo.load("test_resnet", weights=None, features=True)
    dilated = zoo.load("test_resnet", weights=None, features=True, output_stride=8)
    assert list(dilated.output) == [2, 4, 8]
    assert dilated.count_params() == usual.count_params()
    image = np.zeros((1, 64, 64, 3), "float32")
    assert dilated(image)[8].shape == (1, 8, 8, usual.output[32].shape[-1])


def test_an_atrous_pyramid_stands_on_a_dilated_network_where_the_family_can():
    model = zoo.load(
        "test_resnet", weights=None, decoder="deeplabv3plus", decoder_options={"filters": 8}, num_classes=2
    )
    assert model.spec.config["output_stride"] == 16
    strided = zoo.load(
        "test_byobnet", weights=None, decoder="deeplabv3plus", decoder_options={"filters": 8}, num_classes=2
    )
    assert "output_stride" not in strided.spec.config


@pytest.mark.parametrize(
    ("name", "message"),
    [("vgg11", "cannot be dilated. Expected .* such as resnet50"), ("resnetblur50", "blurs where it strides")],
)
def test_what_cannot_be_dilated_is_one_sentence(name, message):
    with pytest.raises(zoo.InputError, match=f"^output_stride=16 .*{message}"):
        zoo.load(name, weights=None, features=True, output_stride=16)


def test_an_image_of_any_size_is_seen_as_one_whose_sides_are_halved_evenly(model):
    """Where a side is odd, strided convolutions would see other pixels than they were trained on."""
    image = np.random.default_rng(0).integers(0, 256, (1, 45, 70, 3)).astype("float32")
    padded = np.pad(image, ((0, 0), (0, 19), (0, 26), (0, 0)), mode="edge")
    np.testing.assert_allclose(model(image), model(padded)[:, :45, :70], atol=1e-4)
    as_it_is = zoo.load(ENCODER, decoder="unet", decoder_options={**SMALL, "pad_to": 1}, num_classes=3)
    assert as_it_is.spec.decoder_config["pad_to"] == 1
    assert not [layer for layer in as_it_is.layers if layer.name in ("decoder-pad", "decoder-crop")]
