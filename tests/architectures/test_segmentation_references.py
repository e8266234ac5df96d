"""Encoders and decoders that others trained: segmentation_models_pytorch's, transformers' and torchvision's numbers."""

import json
import shutil

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

import zoo
from tests.golden_files import assert_close, golden_state, read_golden, write_golden_checkpoint
from tests.marked_cases import first_of_each

# The first is quick. A name says decoder and encoder; the configuration is in the golden file.
SMP = [
    "smp_unet_tu_convnext_atto",  # starts at stride 4; modules of lists are renamed
    "smp_unet_resnet34",
    "smp_unet_resnet18_scse",  # depth 4, own widths, attention
    "smp_unet_mobilenet_v2",  # torchvision's layout
    "smp_unet_efficientnet_b0",  # efficientnet_pytorch's layout; bilinear
    "smp_unet_timm_efficientnet_b0",
    "smp_unet_vgg11_bn",  # with a centre
    "smp_fpn_resnet50",
    "smp_fpn_tu_mobilenetv3_large_100",  # concatenated, bilinear, logits at stride 2
    "smp_fpn_timm_skresnet18",
    "smp_deeplabv3plus_resnet34",
    "smp_deeplabv3plus_resnet18_of_4_channels",  # output stride 8, one logit
    "smp_deeplabv3plus_tu_resnet18",  # timm's way to dilate
    "smp_deeplabv3plus_tu_mobilenetv4_conv_small",
    "smp_deeplabv3plus_efficientnet_b0",
    "smp_deeplabv3plus_efficientnet_b3",  # output stride 8; padded for 300 pixels
    "smp_deeplabv3plus_mobilenet_v2",
    "smp_deeplabv3_resnet18",
    "smp_upernet_tu_convnext_tiny",
    "smp_upernet_resnet18_depth4",  # logits at stride 4
]
REGISTERED = ["fcn_resnet50", "deeplabv3_resnet50", "upernet_convnext_tiny"]


@pytest.fixture(autouse=True)
def clear():
    keras.utils.clear_session()
    yield
    keras.utils.clear_session()


def write_repository(name, folder, **changes):
    """A folder as smp's `save_pretrained` writes it."""
    save_file(golden_state(name), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({**read_golden(name)[1]["config"], **changes}), encoding="utf-8")
    return folder


def assert_reproduces(model, name):
    arrays, meta = read_golden(name)
    logits = keras.ops.convert_to_numpy(model(arrays["images"].astype("float32")))
    assert_close(logits[:, :: meta["step"], :: meta["step"]], arrays["logits"])
    np.testing.assert_allclose(logits.mean((1, 2)), arrays["logits_mean"], atol=1e-3 * logits.std())


@pytest.mark.parametrize("name", first_of_each(SMP))
def test_a_repository_of_smp_gives_its_logits(name, tmp_path):
    model = zoo.load(write_repository(name, tmp_path))
    assert (model.spec.task, model.spec.license) == ("semantic-segmentation", "unknown")
    assert_reproduces(model, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", REGISTERED)
def test_a_file_of_another_library_gives_its_logits(name, tmp_path):
    assert_reproduces(zoo.load(name, weights=write_golden_checkpoint(name, tmp_path)), name)


def test_the_configuration_of_transformers_upernet_is_read(tmp_path):
    config = read_golden("upernet_convnext_tiny")[1]["config"]
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    read, known = zoo.info(tmp_path), zoo.info("upernet_convnext_tiny")
    assert read.config == known.config
    assert read.decoder_config == {**known.decoder_config, "grids": [1, 2, 3, 6]}
    assert (read.format, read.num_classes, read.labels, read.license) == ("upernet", 150, None, "unknown")
    other = {**config, "backbone_config": {"model_type": "swin"}}
    (tmp_path / "config.json").write_text(json.dumps(other), encoding="utf-8")
    with pytest.raises(zoo.UnknownModelError, match=r"UperNet on 'swin'\. Expected one on a ConvNeXt"):
        zoo.info(tmp_path)


@pytest.mark.slow
def test_what_was_read_is_saved_and_read_again_with_a_new_head_and_as_a_pyramid(tmp_path):
    name = "smp_unet_tu_convnext_atto"
    (tmp_path / "smp").mkdir()
    repository = write_repository(name, tmp_path / "smp")
    saved = zoo.save(zoo.load(repository), tmp_path / "mine")
    assert_reproduces(zoo.load(saved), name)
    assert list(zoo.load(repository, features=True).output) == [4, 8, 16, 32]
    other = zoo.load(repository, num_classes=3)
    assert other.output_shape == (None, None, None, 3)
    assert {path.split("/")[0] for path in other.spec.initial_weights} == {"segmentation_head-0"}
    shutil.rmtree(saved)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    first_of_each(
        [
            ({"_model_class": "Linknet"}, zoo.UnknownModelError, "class 'Linknet' .* Expected Unet, FPN"),
            ({"_model_class": 3}, zoo.UnknownModelError, "Expected Unet, FPN"),
            ({"encoder_name": "mit_b0"}, zoo.UnknownModelError, "encoder_name: 'mit_b0' is not an encoder"),
            ({"encoder_name": "tu-vit_base"}, zoo.UnknownModelError, "encoder_name: 'tu-vit_base'"),
            ({"decoder_use_norm": "layernorm"}, zoo.RegistryError, "decoder_use_norm: 'layernorm' .* 'batchnorm'"),
            ({"decoder_attention_type": "cbam"}, zoo.RegistryError, "decoder_attention_type: 'cbam' .* 'scse'"),
            ({"decoder_interpolation": "area"}, zoo.RegistryError, "decoder_interpolation: 'area' .* 'nearest'"),
            ({"activation": "sigmoid"}, zoo.RegistryError, "activation: 'sigmoid' makes another network"),
            ({"aux_params": {"classes": 2}}, zoo.RegistryError, "aux_params: .* Expected null"),
            ({"decoder_channels": [64, 32]}, zoo.RegistryError, r"decoder_channels: \[64, 32\]. Expected 5 ints"),
            ({"encoder_output_stride": 4}, zoo.RegistryError, "encoder_output_stride: 4. Expected 8, 16 or 32"),
            ({"encoder_depth": 9}, zoo.RegistryError, "encoder_depth"),
            ({"classes": 0}, zoo.RegistryError, "classes"),
            ({"img_size": 224}, zoo.RegistryError, "img_size: 224 .* no such argument"),
            (
                {"_model_class": "DeepLabV3Plus", "encoder_name": "vgg16", "decoder_channels": 256},
                zoo.RegistryError,
                "dilated",
            ),
            (
                {"_model_class": "FPN", "decoder_channels": None, "upsampling": 8},
                zoo.RegistryError,
                "upsampling: 8 .* 4",
            ),
        ],
        lambda case: case[1],
    ),
)
def test_what_is_not_built_is_one_sentence(changes, error, message, tmp_path):
    usual = read_golden("smp_unet_tu_convnext_atto")[1]["config"]
    (tmp_path / "config.json").write_text(json.dumps({**usual, **changes}), encoding="utf-8")
    with pytest.raises(error, match=message):
        zoo.info(tmp_path)
