"""Back to timm: its names, shapes and numbers for every family, and what comes back from the folder."""

import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file, save_file

import zoo
import zoo.export
from tests.architectures.test_timm_families import assert_as_it_came, built
from tests.golden_files import assert_close, write_golden_checkpoint
from tests.marked_cases import release_except, slow_except
from zoo.command_line.main import main
from zoo.errors import ExportError, InputError
from zoo.export.to_timm import timm_tensors
from zoo.weights import filling

# Slow are one with factors per channel and one whose dense layer is a convolution there.
QUICK = {"test_resnet"}
# Of families with golden tests of their own; the others give timm's tensors back in `test_timm_families.py`.
FURTHER = {
    "convnext_tiny",
    "convnextv2_atto",
    "densenetblur121d",
    "efficientnet_b0",
    "fasternet_t0",
    "test_convnext",
    "xception41",
}


@pytest.fixture(autouse=True)
def clear():
    yield
    keras.utils.clear_session()


@pytest.fixture
def network(tmp_path):
    """A small network of timm's with three named classes of its own."""
    keras.utils.set_random_seed(0)
    model = zoo.load("test_resnet", weights=write_golden_checkpoint("test_resnet", tmp_path))
    mine = zoo.load("test_resnet", weights=None, num_classes=3)
    for layer in mine.layers:
        if layer.name != model.spec.classifier:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    for variable in mine.weights:
        variable.assign(variable + 0.01)
    mine.spec = mine.spec.model_copy(update={"labels": ("red", "green", "blue"), "random": "none"})
    return mine


def same_values(model, other):
    pairs = zip(model.weights, other.weights, strict=True)
    return all(np.array_equal(one.numpy(), two.numpy()) and one.path == two.path for one, two in pairs)


# VGG16 has half a gigabyte.
@pytest.mark.parametrize("name", [*slow_except(QUICK, sorted(QUICK | FURTHER)), *release_except((), ["vgg16"])])
def test_a_network_comes_back_to_the_bit(name, tmp_path):
    model = built(name)
    unused = model.spec.unused
    filling.fill(model, write_golden_checkpoint(name, tmp_path), file_format="timm", unused=unused)
    assert_as_it_came(model, name)
    save_file(timm_tensors(model), tmp_path / "back.safetensors")
    again = built(name)
    filling.fill(again, tmp_path / "back.safetensors", file_format="timm")
    assert filling.digest(again.weights) == filling.digest(model.weights)


def test_a_fine_tuned_model_comes_back_by_either_description(network, tmp_path):
    folder = zoo.export.timm(network, tmp_path / "mine")
    loaded = zoo.load(folder)
    assert same_values(network, loaded)
    assert (loaded.spec.labels, loaded.spec.base) == (("red", "green", "blue"), network.spec.base)
    (folder / "zoo.json").unlink()
    loaded = zoo.load(folder)  # by config.json, as one that timm has written
    assert same_values(network, loaded)
    assert (loaded.spec.labels, loaded.spec.input) == (("red", "green", "blue"), network.spec.input)
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), "uint8")
    assert zoo.predict(loaded, image)[0]["predictions"] == zoo.predict(network, image)[0]["predictions"]


def test_timm_itself_loads_it_where_it_is_installed(network, tmp_path):
    timm, torch = pytest.importorskip("timm"), pytest.importorskip("torch")
    folder = zoo.export.timm(network, tmp_path / "mine")
    there = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    images = np.random.default_rng(0).uniform(0, 255, (2, 160, 160, 3)).astype("float32")
    normalised = (images / 255 - network.spec.input.mean) / network.spec.input.std
    with torch.inference_mode():
        logits = there(torch.from_numpy(normalised.transpose(0, 3, 1, 2).astype("float32"))).numpy()
    assert there.pretrained_cfg["label_names"] == ["red", "green", "blue"]
    assert_close(network(images), logits)


def test_config_json_says_what_timm_asks_for(network, tmp_path):
    folder = zoo.export.timm(network, tmp_path / "mine")
    config = json.loads((folder / "config.json").read_text())
    assert (config["architecture"], config["num_classes"], config["label_names"]) == (
        "test_resnet",
        3,
        ["red", "green", "blue"],
    )
    pretrained = config["pretrained_cfg"]
    assert pretrained["input_size"] == [3, 160, 160]
    assert (pretrained["classifier"], pretrained["num_classes"]) == ("fc", 3)
    assert pretrained["first_conv"] + ".weight" in load_file(folder / "model.safetensors")
    assert "library_name: timm" in (folder / "README.md").read_text()


def test_several_labels_per_image_stay_several(network, tmp_path):
    network.spec = network.spec.model_copy(update={"task": "multi-label-classification"})
    folder = zoo.export.timm(network, tmp_path / "mine")
    (folder / "zoo.json").unlink()
    assert zoo.info(folder).task == "multi-label-classification"


@pytest.mark.slow  # as with three channels
def test_other_channels_and_no_head_come_back(tmp_path):
    for number, options in enumerate(({"in_channels": 4}, {"num_classes": 0}, {"in_channels": 1})):
        model = zoo.load("test_resnet", weights=None, **options)
        folder = zoo.export.timm(model, tmp_path / f"{number}", allow_random=True)
        (folder / "zoo.json").unlink()
        loaded = zoo.load(folder)
        assert same_values(model, loaded)
        assert loaded.spec.input == model.spec.input


@pytest.mark.slow  # networks of many kinds
def test_what_timm_does_not_have_is_refused(tmp_path):
    options = {"weights": None, "num_classes": 3}
    strangers = [
        (zoo.load("espcn-x2"), "is a network of layerzoo"),
        (zoo.load("test_resnet", decoder="fpn", **options), "has the decoder fpn"),
        (zoo.load("test_resnet", weights=None, features=True), "has a feature pyramid"),
        (zoo.load("test_resnet", output_stride=8, **options), "output_stride differs"),
    ]
    for model, message in strangers:
        with pytest.raises(ExportError, match=message):
            zoo.export.timm(model, tmp_path / "mine", allow_random=True)
    with pytest.raises(ExportError, match="has random weights"):
        zoo.export.timm(zoo.load("test_resnet", weights=None), tmp_path / "mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="Expected a new folder"):
        zoo.export.timm("tf_efficientnet_lite0", tmp_path / "mine")


@pytest.mark.slow  # as the function
def test_the_command_line_writes_it(tmp_path):
    folder = tmp_path / "lite0"
    command = ["export", "tf_efficientnet_lite0", "-o", f"{folder}", "--format", "timm"]
    done = CliRunner().invoke(main, command, catch_exceptions=False)
    assert done.stdout.strip() == f"{folder}"
    assert zoo.info(folder).format == "timm"
    done = CliRunner().invoke(main, [*command, "--version", "2"])
    assert "--version" in done.output
    assert done.exit_code == 1
