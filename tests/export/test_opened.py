"""Exports as models: predicted with and evaluated in their own runtime, to the digit as the Keras model."""

import functools
import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import zoo
import zoo.export
from zoo.command_line.main import main
from zoo.errors import ExportError, InputError, UnknownModelError

RUNTIMES = {"saved_model": "tensorflow", "litert": "ai_edge_litert", "onnx": "onnxruntime", "openvino": "openvino"}


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """From a format to a classifier in it, made when it is first asked for."""
    folder = tmp_path_factory.mktemp("exports")
    return functools.cache(lambda name: getattr(zoo.export, name)("blurnet-textures", folder))


@pytest.fixture
def export(request, exports):
    pytest.importorskip(RUNTIMES[request.param], reason=f"layerzoo[{request.param}] is not installed")
    return exports(request.param)


@pytest.fixture(scope="module")
def textures():
    """Patches of noise and ramps, 16 x 16, and a class for each: what the network says of them, but for some."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (10, 64, 64, 3), "uint8")
    images[5:] = np.linspace(0, 255, 64, dtype="uint8")[:, None]
    classes = np.argmax(zoo.load("blurnet-textures")(images), axis=-1)
    classes[:3] = (classes[:3] + 1) % zoo.info("blurnet-textures").num_classes
    return images, classes


@pytest.mark.slow  # evaluates twice; the answers of an export are tested around it
@pytest.mark.parametrize("export", RUNTIMES, indirect=True)
def test_an_export_is_evaluated_to_the_digit(export, textures):
    expected = zoo.evaluate("blurnet-textures", textures)
    assert 60 < expected["top1_percent"] < 80
    assert zoo.evaluate(export, textures) == expected
    assert zoo.evaluate(zoo.export.load(export), textures) == expected


@pytest.mark.slow  # an export each; the command line takes one below
@pytest.mark.parametrize("export", RUNTIMES, indirect=True)
def test_an_export_predicts_as_its_model(export, textures):
    records, expected = (zoo.predict(model, list(textures[0][:3])) for model in (export, "blurnet-textures"))
    for record, right in zip(records, expected, strict=True):
        assert [one["label"] for one in record["predictions"]] == [one["label"] for one in right["predictions"]]
        scores = [[one["score"] for one in each["predictions"]] for each in (record, right)]
        np.testing.assert_allclose(*scores, atol=1e-5)


@pytest.mark.slow  # an export more
def test_images_go_through_an_export_at_any_size_and_in_batches_of_its_own(tmp_path):
    folder = zoo.export.saved_model("espcn-x2", tmp_path, batch_size=3)
    images = np.random.default_rng(0).integers(0, 256, (4, 12, 10, 3), "uint8")
    model = zoo.export.load(folder)
    assert (model.format, model.spec.name) == ("saved_model", "espcn-x2.photos")
    np.testing.assert_allclose(model(images), zoo.load("espcn-x2")(images), atol=1e-3)
    assert zoo.predict(folder, images[0])[0].image.size == (20, 24)


@pytest.mark.release  # the fill takes a minute to export
def test_masks_and_depths_go_through_an_export(tmp_path):
    folder = zoo.export.saved_model("sparseconvnet", tmp_path)
    depths = np.where(np.random.default_rng(0).random((2, 24, 32)) < 0.2, 5.0, 0).astype("float32")
    targets = np.full((2, 24, 32), 5.0, "float32")
    found, expected = (zoo.evaluate(model, (depths, targets)) for model in (folder, "sparseconvnet"))
    assert found["count"] == 2
    for metric in ("mae_metres", "rmse_metres"):
        assert found[metric] == pytest.approx(expected[metric], rel=1e-4)


def test_the_command_line_takes_the_folder_of_an_export(exports, tmp_path):
    data, generator = tmp_path / "data", np.random.default_rng(0)
    for label in zoo.info("blurnet-textures").labels or ():
        (data / label).mkdir(parents=True)
        for place in range(2):
            pixels = generator.integers(0, 256, (64, 64, 3), "uint8")
            Image.fromarray(pixels).save(data / label / f"{place}.png")
    folder = str(exports("saved_model"))
    commands = [["evaluate", handle, str(data), "--json"] for handle in (folder, "blurnet-textures")]
    record, expected = (json.loads(CliRunner().invoke(main, command).stdout) for command in commands)
    assert record["count"] == 2 * len(record["class_percent"])
    assert record == expected
    image = next(data.rglob("*.png"))
    answer = CliRunner().invoke(main, ["predict", folder, str(image), "--json"], catch_exceptions=False)
    assert json.loads(answer.stdout)[0]["model"] == "blurnet-textures.grey"


def test_other_folders_and_damaged_exports_are_named(exports, tmp_path):
    with pytest.raises(ExportError, match="is not an export of this library"):
        zoo.export.load(tmp_path)
    with pytest.raises(InputError, match="is an export, which has no weights to load"):
        zoo.load(exports("saved_model"))
    with pytest.raises(InputError, match="is an export"):
        zoo.finetune(exports("saved_model"), (np.zeros((4, 16, 16, 3), "uint8"), np.arange(4)))
    copy = shutil.copytree(exports("saved_model"), tmp_path / "damaged")
    (copy / "saved_model.pb").write_bytes(b"nothing")
    with pytest.raises(ExportError, match="cannot be opened as saved_model"):
        zoo.predict(copy, np.zeros((16, 16, 3), "uint8"))
    for folder in (exports("onnx").parent, exports("onnx").parents[1], exports("saved_model").parent):
        with pytest.raises(UnknownModelError, match=rf"Expected a version of an export, such as {folder}.*/1\.$"):
            zoo.predict(folder, np.zeros((16, 16, 3), "uint8"))
    with pytest.raises((ExportError, UnknownModelError), match=r"is not a model|is not an export"):
        zoo.evaluate(tmp_path, (np.zeros((2, 16, 16, 3), "uint8"), np.arange(2)))
