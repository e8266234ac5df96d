"""Models of a company's own registry and architecture, through every verb that ours go through."""

import hashlib

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file, save_file

import zoo
import zoo.export
from tests.private_registry import REGISTRY, forget
from tests.training.photographs import write_photographs
from zoo.command_line.main import main


@pytest.fixture
def model(acme):
    import keras

    keras.utils.set_random_seed(0)
    model = zoo.load("acme-net", weights=None)
    model.set_weights([values + 0.01 for values in model.get_weights()])  # as after training
    return model


def embedded(acme, model, sha256=None):
    """Put the model's weights into the package, under the hash that its registry states."""
    (acme / "checkpoints").mkdir(exist_ok=True)
    path = acme / "checkpoints" / "net.safetensors"
    save_file(load_file(zoo.save(model, acme.parent / "saved") / "model.safetensors"), path)
    digest = sha256 or hashlib.sha256(path.read_bytes()).hexdigest()
    checkpoint = f'{{source: embedded, filename: net.safetensors, sha256: "{digest}"}}'
    old = "config: {filters: [4, 8]}"
    (acme / "registry.yaml").write_text(REGISTRY.replace(old, f"{old}\n        checkpoints: {{v1: {checkpoint}}}"))
    forget()
    return path


def outputs(model):
    image = np.random.default_rng(0).integers(0, 255, (1, 32, 32, 3)).astype("uint8")
    return np.asarray(model(image))


def test_it_has_new_heads_pyramids_channels_and_decoders_as_ours_have(acme):
    assert zoo.load("acme-net", weights=None).output_shape == (None, 3)
    assert zoo.load("acme-net", weights=None, num_classes=5).output_shape == (None, 5)
    assert list(zoo.load("acme-net", weights=None, features=True).output) == [2, 4]
    assert zoo.load("acme-net", weights=None, in_channels=1).input_shape == (None, None, None, 1)
    segmenter = zoo.load("acme-net", weights=None, decoder="unet", num_classes=2)
    assert segmenter(np.zeros((1, 32, 32, 3), "uint8")).shape == (1, 32, 32, 2)


@pytest.mark.parametrize("name", ["mine", "mine.keras"])
def test_it_comes_back_from_a_folder_and_from_a_file_of_keras(model, tmp_path, name):
    path = tmp_path / name
    model.save(path) if name.endswith(".keras") else zoo.save(model, path)
    forget()  # the next process has not imported the layers that the package registers
    np.testing.assert_array_equal(outputs(zoo.load(path)), outputs(model))


@pytest.mark.parametrize("name", ["mine", "mine.keras"])
def test_without_the_package_it_says_which_one_it_needs(model, acme, tmp_path, name):
    path = tmp_path / name
    model.save(path) if name.endswith(".keras") else zoo.save(model, path)
    next(acme.parent.glob("*.dist-info")).joinpath("entry_points.txt").unlink()
    forget()
    with pytest.raises(zoo.RegistryError, match="code of the package acme_models, which has no registry here"):
        zoo.load(path)


def test_weights_in_the_package_are_compared_with_the_hash_of_its_registry(model, acme):
    path = embedded(acme, model)
    np.testing.assert_array_equal(outputs(zoo.load("acme-net")), outputs(model))
    assert zoo.load("acme-net").spec.name == "acme-net.v1"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(zoo.IntegrityError, match=r"net\.safetensors has SHA-256 .* install acme-models again"):
        zoo.load("acme-net")
    path.unlink()
    with pytest.raises(zoo.IntegrityError, match=r"There is no file .*checkpoints/net\.safetensors"):
        zoo.load("acme-net")


def test_the_line_with_the_hash_is_printed(model, acme):
    path = embedded(acme, model, sha256="0" * 64)
    result = CliRunner().invoke(main, ["pin", "acme-net"])
    assert result.stdout == f'v1: {{sha256: "{hashlib.sha256(path.read_bytes()).hexdigest()}"}}\n'
    (acme / "registry.yaml").write_text((acme / "registry.yaml").read_text().replace(f', sha256: "{"0" * 64}"', ""))
    forget()
    with pytest.raises(zoo.RegistryError, match=r"acme-net\.v1 has no sha256\. Expected [0-9a-f]{64}"):
        zoo.load("acme-net")


def test_a_space_which_would_not_have_the_package_is_refused(model):
    pytest.importorskip("gradio")
    with pytest.raises(zoo.PublishError, match=r"A Space would not load acme-net: .* code of acme-models==1\.0"):
        zoo.publish(model, "me/mine", license="apache-2.0", space="me/shown", token="hf_any")


def test_a_card_says_what_the_loader_needs(model, acme, tmp_path):
    embedded(acme, model)
    loaded = zoo.load("acme-net")
    shown = CliRunner().invoke(main, ["card", "acme-net"]).stdout
    assert "`acme_models/checkpoints/net.safetensors`, shipped in the package `acme-models`" in shown
    text = (zoo.save(loaded, tmp_path / "mine") / "README.md").read_text()
    assert "code of the Python package `acme-models==1.0`, as `acme_models.networks:acme_net`" in text
    assert "Its weights began as those of `acme-net.v1` of acme-models" in text
    ours = (zoo.save(zoo.load("espcn-x2"), tmp_path / "ours") / "README.md").read_text()
    assert "Python package" not in ours


@pytest.mark.slow  # an export
def test_it_is_exported_and_bundled(model, tmp_path):
    folder = zoo.save(model, tmp_path / "mine")
    exported = zoo.export.saved_model(folder, tmp_path / "served")
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype("uint8")
    (ours,), (theirs,) = (zoo.predict(each, image)[0]["predictions"][:1] for each in (folder, exported))
    assert ours["label"] == theirs["label"]
    bundle = zoo.bundle([folder], tmp_path / "zoo.tar")
    np.testing.assert_array_equal(outputs(zoo.load(f"{tmp_path / 'zoo.tar'}#mine")), outputs(model))
    assert bundle


def test_it_is_not_written_as_one_of_timms(model, tmp_path):
    with pytest.raises(zoo.ExportError, match="which timm does not have"):
        zoo.export.timm(model, tmp_path / "timm")


@pytest.mark.slow  # trains
def test_it_is_fine_tuned_and_its_run_is_a_model(acme, tmp_path):
    photographs = write_photographs(tmp_path / "photographs", {"blue": 6, "red": 6})
    model = zoo.load("acme-net", weights=None, num_classes=2)
    zoo.finetune(model, photographs, output_dir=tmp_path / "run", epochs=1)
    forget()
    loaded = zoo.load(tmp_path / "run")
    assert loaded.spec.builder == "acme_models.networks:acme_net"
    assert loaded.spec.labels == ("blue", "red")
