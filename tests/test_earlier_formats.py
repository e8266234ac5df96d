"""Folders and runs that commit ab5732d wrote: they load, predict, are measured and resume as they did there."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import zoo

WRITTEN = Path(__file__).parent / "golden" / "ab5732d"
OPTIONS = {"epochs": 4, "batch_size": 4, "freeze": "none", "learning_rate": 0.01, "seed": 3}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The folders, where the working directory was."""
    shutil.copytree(WRITTEN, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def images():
    return np.stack([np.asarray(Image.open(path)) for path in sorted(WRITTEN.rglob("*.png"))])


@pytest.mark.parametrize("name", ["base", "head", "finished"])
def test_a_saved_folder_gives_the_same_numbers(name, images):
    model = zoo.load(WRITTEN / name)
    np.testing.assert_allclose(model(images), np.load(WRITTEN / "outputs.npz")[name], rtol=1e-4, atol=1e-5)
    spec = json.loads((WRITTEN / name / "zoo.json").read_text())
    assert (model.spec.name, list(model.spec.labels or ())) == (name, spec["labels"] or [])


def test_keras_alone_loads_it(images):
    outputs = keras.saving.load_model(WRITTEN / "base")(images)
    np.testing.assert_allclose(outputs, np.load(WRITTEN / "outputs.npz")["base"], rtol=1e-4, atol=1e-5)


def test_a_head_that_nobody_has_trained_is_still_known_as_one(tmp_path, monkeypatch):
    model = zoo.load(WRITTEN / "head")
    assert model.spec.random == "head"
    with pytest.raises(zoo.PublishError, match="fc"):
        zoo.publish(model, "me/mine", license="mit", token="hf_none")
    model.get_layer("fc").kernel.assign_add(np.ones(model.get_layer("fc").kernel.shape))
    assert zoo.info(zoo.save(model, tmp_path / "trained")).random == "none"


def test_a_finished_run_is_measured_and_its_card_says_what_was_done(here):
    run = json.loads((here / "finished" / "run.json").read_text())
    measured = zoo.evaluate("./finished", "photographs")
    assert measured["count"] == 16
    assert run["metrics"].keys() >= {"top1_percent"}
    assert f"{len(run['history']['loss'])} epochs" in str(zoo.export.model_card("./finished"))


def test_a_finished_run_is_taken_as_it_is(here):
    before = (here / "finished" / "model.safetensors").read_bytes()
    run = zoo.finetune("./base", "photographs", output_dir="finished", **OPTIONS)
    assert run.history == json.loads((WRITTEN / "finished" / "run.json").read_text())["history"]
    assert (here / "finished" / "model.safetensors").read_bytes() == before


def test_an_interrupted_run_resumes(here):
    finished = json.loads((WRITTEN / "finished" / "run.json").read_text())["history"]
    run = zoo.finetune("./base", "photographs", output_dir="interrupted", **OPTIONS)
    for name, values in finished.items():
        assert run.history[name][:2] == pytest.approx(values[:2], rel=1e-5), name
        assert run.history[name][2:] == pytest.approx(values[2:], rel=0.05, abs=0.05), name
