"""Every decoder above encoders of every kind: built, trained for a step, saved, loaded, exported; small."""

import keras
import numpy as np
import pytest

import zoo
import zoo.export
from tests.marked_cases import first_of_each, release_except
from tests.training.small_tasks import entry
from zoo import architectures
from zoo.catalogue.decoded import with_decoder
from zoo.catalogue.decoder_names import DECODER_NAMES, DETECTORS
from zoo.catalogue.registry import registry
from zoo.training.losses import segmentation_loss
from zoo.weights.filling import abstract
from zoo.weights.untrained import record_initial_values, untrained

BACKEND = keras.backend.backend()
FOUR = {"depths": [1, 1, 1, 1], "filters": [8, 8, 16, 16]}
# A small network for each builder.
ENCODERS = {
    "resnet.resnet": {**FOUR, "stem_filters": 8},
    "efficientnet.efficientnet": {
        "stem_filters": 8,
        "stages": [
            [{"kind": "separable", "filters": 8}],
            *([{"kind": "inverted", "expansion": 2, "strides": 2, "filters": width}] for width in (8, 12, 16)),
            [{"kind": "inverted", "expansion": 2, "strides": 2, "filters": 16, "kernel_size": 5}],
        ],
    },
    "convnext.convnext": FOUR,
    "vgg.vgg": {"depths": [1, 1, 1, 1, 1]},
    "densenet.densenet": {"depths": [1, 1, 1, 1], "growth_rate": 8},
    "regnet.regnet": {"depth": 4, "initial_width": 8, "slope": 8, "multiplier": 2.0, "group_width": 8},
    "resnetv2.resnetv2": None,
    "repvgg.repvgg": {**FOUR, "stem_filters": 8},
    "hrnet.hrnet": {"width": 8, "first_width": 8, "first_depth": 1, "modules": [1, 1, 1], "depth": 1},
    "byobnet.byobnet": None,
    "resnest.resnest": {"depths": [1, 1, 1, 1], "stem_filters": 8},
    "starnet.starnet": None,
    "metaformer.metaformer": None,
}
# Those of the registry where a small one has many arguments.
REGISTERED = {
    "resnetv2.resnetv2": "resnetv2_18",
    "byobnet.byobnet": "test_byobnet",
    "starnet.starnet": "starnet_s1",
    "metaformer.metaformer": "poolformer_s12",
}
SMALL = {
    "deeplabv3": {"filters": 8, "rates": (1, 2, 3)},
    "deeplabv3plus": {"filters": 8, "rates": (1, 2, 3)},
    "fcn": {"filters": 8},
    "fpn": {"pyramid_filters": 8, "filters": 32},
    "segnet": {"depths": (1, 1, 1, 1, 1)},
    "unet": {"filters": (8, 8, 8, 8, 8)},
    "upernet": {"filters": 8},
}
MAPS = [decoder for decoder in DECODER_NAMES if decoder not in DETECTORS]  # the others: test_detectors.py
REFUSED = [("segnet", encoder) for encoder in ENCODERS if encoder != "vgg.vgg"]
PAIRS = [(decoder, encoder) for decoder in MAPS for encoder in ENCODERS if (decoder, encoder) not in REFUSED]
# An export takes half a minute: in CI one of each decoder, each above another encoder, all pairs before a release.
EXPORTED = [*zip(sorted({*MAPS} - {"segnet"}), ENCODERS, strict=False), ("segnet", "vgg.vgg")]
# Of every kind of part one: atrous convolution, unpooling, skip connections, pooling to grids.
OF_EACH_PART = [
    *(("deeplabv3plus", "efficientnet.efficientnet"), ("segnet", "vgg.vgg")),
    *(("unet", "convnext.convnext"), ("upernet", "repvgg.repvgg")),
]


@pytest.fixture(autouse=True)
def clear():
    keras.utils.clear_session()
    yield
    keras.utils.clear_session()


def built(decoder, encoder, **options):
    keras.utils.set_random_seed(0)
    known = registry().find(REGISTERED[encoder]) if encoder in REGISTERED else None
    trunk = entry("image-classification", encoder, num_classes=5, config=known.config if known else ENCODERS[encoder])
    described, _ = with_decoder(trunk, decoder, {**SMALL[decoder], **options}, 3)
    return architectures.build(described.model_copy(update={"random": "all"}))


def as_loaded(model):
    """With what `zoo.load` records of random weights."""
    record_initial_values(model, model.layers)
    return model


def trained(model):
    """After a step in which every weight changes."""
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    masks = (images[..., 0] > 127).astype("int32") - (images[..., 1] > 200)
    loss = segmentation_loss("cross-entropy+dice")
    model.compile(keras.optimizers.SGD(1e-3, weight_decay=0.1), loss, run_eagerly=BACKEND != "jax")
    assert np.isfinite(model.train_on_batch(images, masks))
    return model


def assert_round_trip(model, folder):
    """What is saved and loaded gives the same logits, as large as an image of any size."""
    size = (64, 96) if model.spec.builder.startswith("hrnet") else (45, 75)  # HRNet's maps fit at multiples of 32 only
    image = np.random.default_rng(1).uniform(0, 255, (1, *size, 3)).astype("float32")
    logits = keras.ops.convert_to_numpy(model(image))
    assert logits.shape == (1, *size, 3)
    loaded = zoo.load(zoo.save(model, folder / "model"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(loaded(image)), logits, atol=1e-4 * np.abs(logits).max())
    assert loaded.spec.decoder == model.spec.decoder


@pytest.mark.parametrize(("decoder", "encoder"), first_of_each(OF_EACH_PART, lambda pair: pair[0] == "segnet"))
def test_a_decoder_trains_and_gives_logits_of_the_size_of_the_image(decoder, encoder):
    model, image = trained(built(decoder, encoder)), np.zeros((1, 45, 75, 3), "float32")
    outputs = model.predict(image, verbose=0) if BACKEND == "jax" else model(image)  # JAX compiles each operation
    assert outputs.shape == (1, 45, 75, 3)


@pytest.mark.slow
@pytest.mark.parametrize(("decoder", "encoder"), PAIRS)
def test_every_pair_is_built(decoder, encoder):
    with abstract():
        assert built(decoder, encoder).output_shape == (None, None, None, 3)


@pytest.mark.slow
@pytest.mark.parametrize(("decoder", "encoder"), REFUSED)
def test_a_pair_that_does_not_fit_says_what_it_lacks(decoder, encoder):
    with abstract(), pytest.raises(zoo.InputError, match="all halved by 2x2 max pooling"):
        built(decoder, encoder)


@pytest.mark.parametrize(("decoder", "encoder"), release_except(EXPORTED, PAIRS))
def test_every_pair_trains_is_saved_loaded_and_exported(decoder, encoder, tmp_path):
    model = trained(as_loaded(built(decoder, encoder)))
    assert not untrained(model)
    assert_round_trip(model, tmp_path)
    if BACKEND == "tensorflow":
        zoo.export.saved_model(model, tmp_path / "exports")


@pytest.mark.slow  # trains; tests/test_loading.py saves and loads
def test_a_saved_folder_gives_encoder_and_decoder_back(tmp_path):
    assert_round_trip(trained(built("unet", "resnet.resnet", upsampling="transposed", attention=False)), tmp_path)


@pytest.mark.parametrize(
    ("decoder", "options"),
    [
        ("unet", {"upsampling": "transposed"}),
        ("unet", {"upsampling": "bilinear", "separable": True, "center": True}),
        ("unet", {"strides": (4, 8)}),
        ("fpn", {"merge": "concatenate", "upsampling": "bilinear", "dropout": 0.0}),
        ("deeplabv3", {"separable": True, "logits_stride": 4}),
        ("fcn", {"skips": (16,), "filters": 0}),
        ("upernet", {"strides": (8, 16, 32), "grids": (1, 3)}),
    ],
)
def test_options_change_the_network(decoder, options):
    with abstract():
        usual, other = built(decoder, "resnet.resnet"), built(decoder, "resnet.resnet", **options)
    assert [layer.name for layer in usual.layers] != [layer.name for layer in other.layers] or (
        usual.count_params() != other.count_params()
    )


@pytest.mark.parametrize(
    ("decoder", "options"),
    [
        ("unet", {"upsampling": "bicubic"}),
        ("unet", {"filters": "wide"}),
        ("unet", {"filters": (8, -1)}),
        ("unet", {"filters": 8}),
        ("unet", {"attention": 1}),
        ("fpn", {"dropout": 1.5}),
        ("fpn", {"filters": 10**9}),
        ("fpn", {"merge": None}),
        ("upernet", {"strides": 8}),
    ],
)
def test_a_value_that_no_option_takes_is_one_sentence(decoder, options):
    name = next(iter(options))
    with abstract(), pytest.raises(zoo.InputError, match=f"^decoder_options: {name}=.* Expected"):
        built(decoder, "resnet.resnet", **options)


@pytest.mark.parametrize(
    ("decoder", "options", "message"),
    [
        ("unet", {"strides": (64,)}, r"strides=\[64\] are none of the encoder's. Expected some of 2, 4"),
        ("deeplabv3plus", {"strides": (8, 16)}, "stride 4"),
        ("upernet", {"strides": (2,)}, "strides from 4"),
        ("fpn", {"logits_stride": 64}, "logits_stride=64"),
        ("fpn", {"filters": 40}, "multiple of 32"),
    ],
)
def test_what_does_not_fit_the_encoder_is_one_sentence(decoder, options, message):
    with abstract(), pytest.raises(zoo.InputError, match=message):
        built(decoder, "resnet.resnet", **options)
