"""The loop of SegNet and FCN: stopped runs, what is chosen, what is written; and the reports of what was shipped."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

import zoo
from recipes import camvid, fcn, segnet
from recipes import segmentation_training as training
from recipes.training_run import TrainingRun, filled, write_weights
from tests.marked_cases import first_of_each
from zoo.architectures.fcn import fcn as build_fcn
from zoo.architectures.segnet import segnet_basic

CHECKPOINTS = Path(zoo.__file__).parent / "checkpoints"
TINY = training.Recipe(
    "tiny", functools.partial(segnet_basic, filters=(4, 4), kernel_size=3, shrink=2), 2, 3, 1e-2, balance=1.0
)
SHIPPED = {recipe.name: recipe for recipe in (segnet.RECIPES[-1], *fcn.RECIPES)}


def report_of(name):
    return json.loads((CHECKPOINTS / f"{name}.json").read_text())


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Two frames per split, in which the class of a pixel is whether it is bright; and a loop that is quick."""
    monkeypatch.setattr(camvid, "CROP", (16, 16))
    monkeypatch.setattr(training, "BATCH_SIZE", 2)
    monkeypatch.setattr(training, "EPOCHS_PER_STATE", 1)
    generator = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        (tmp_path / "data" / split).mkdir(parents=True)
        for index in range(2):
            mask = generator.integers(3, size=(4, 4)).repeat(8, axis=0).repeat(8, axis=1).astype("uint8")
            mask[:2] = 11
            Image.fromarray(100 * (mask % 11)).convert("RGB").save(tmp_path / "data" / split / f"{index}.jpg")
            Image.fromarray(mask).save(tmp_path / "data" / split / f"{index}.png")
    return tmp_path / "data"


@pytest.mark.slow  # three trainings; test_blurnet.py and test_training_run.py have a quick one
def test_a_stopped_run_resumes_and_ends_like_an_unbroken_one(data, tmp_path, unbroken_and_resumed):
    unbroken, resumed = unbroken_and_resumed(lambda state: training.train(TINY, data, state, tmp_path))
    assert resumed["validation"] == unbroken["validation"]
    assert list(resumed["validation"]) == ["1", "2", "3"]
    assert resumed["steps"] == 3
    files = [training.best_weights(tmp_path / f"{name}.state").read_bytes() for name in ("stopped", "unbroken")]
    assert files[0] == files[1]


def test_the_weights_that_did_best_on_the_validation_frames_are_kept(tmp_path):
    run, kept = TrainingRun(tmp_path / "tiny.state", lambda: training.untrained(TINY, 10, tmp_path)), []
    for epoch, score in enumerate((20.0, 30.0, 25.0), start=1):
        run.model.get_layer("classifier").set_weights([np.full((1, 1, 4, 11), epoch), np.zeros(11)])
        training.keep_best(run, epoch, score)
        kept.append(safetensors.numpy.load_file(training.best_weights(run.state))["classifier/kernel"][0, 0, 0, 0])
    assert kept == [1, 2, 2]
    assert run.notes["validation"] == {"1": 20.0, "2": 30.0, "3": 25.0}


def test_the_file_gives_the_same_network_in_float32(tmp_path):
    model = training.untrained(TINY, 10, tmp_path)
    write_weights(model, tmp_path / "tiny.safetensors", "float16")
    whole = filled(training.build(TINY), tmp_path / "tiny.safetensors")
    assert {variable.dtype for variable in whole.variables} == {"float32"}
    image = np.random.default_rng(0).integers(256, size=(1, 13, 20, 3)).astype("float32")
    ours, theirs = (network.predict(image, verbose=0) for network in (whole, model))
    assert ours.shape == (1, 7, 10, 11)
    np.testing.assert_allclose(ours, theirs, atol=0.1)  # the other computes in bfloat16


def test_a_finer_network_begins_as_the_coarser_one_that_was_trained(tmp_path):
    arguments = {"filters": (4, 6, 8, 8, 8), "depths": (1,) * 5, "dense_filters": 8, "dense_kernel_size": 3}
    coarse = TINY._replace(network=functools.partial(build_fcn, stride=32, dropout=0.0, **arguments))
    fine = coarse._replace(network=functools.partial(build_fcn, stride=16, dropout=0.0, **arguments), begins_with="32s")
    with pytest.raises(SystemExit, match=r"no .*32s.safetensors. This network begins with its weights"):
        training.untrained(fine, 10, tmp_path)
    model = training.build(coarse)
    model.get_layer("score_fr").set_weights([np.zeros((1, 1, 8, 11)), np.arange(11)])
    write_weights(model, tmp_path / "32s.safetensors", "float16")
    image = np.zeros((1, 128, 128, 3), "float32")
    finer = training.untrained(fine, 10, tmp_path).predict(image, verbose=0)
    np.testing.assert_allclose(finer[:, 32:-32, 32:-32], model.predict(image, verbose=0)[:, 32:-32, 32:-32], atol=0.1)


@pytest.mark.slow  # a whole recipe, with a training
def test_one_command_trains_measures_and_writes_a_report(data, tmp_path, monkeypatch, capsys):
    state, output = str(tmp_path / "runs"), str(tmp_path / "out")
    monkeypatch.setattr("sys.argv", ["recipes/tiny.py", str(data), "--state", state, "--output", output])
    paper = {"Tiny in the paper": {"mean_iou_percent": 47.7}}
    training.main([TINY._replace(epochs=2)], paper, "Train.")
    written = json.loads((tmp_path / "out" / "tiny.json").read_text())
    assert written["command"] == "python recipes/tiny.py DATA --model tiny"
    assert written["training_steps"] == 2
    frames = camvid.read_split(data, "test")
    scores = camvid.measure(filled(training.build(TINY), tmp_path / "out" / "tiny.safetensors"), frames)
    assert list(written["comparison"]) == ["Tiny in the paper", "tiny"]
    assert written["comparison"]["tiny"]["mean_iou_percent"] == round(scores.mean_iou, 2)
    assert [row["iou_percent"] for row in written["classes"].values()] == pytest.approx(
        scores.class_iou, abs=5e-3, nan_ok=True
    )
    assert not list((tmp_path / "runs").iterdir())  # the next run starts anew
    assert capsys.readouterr().out.endswith(json.dumps(written, indent=2) + "\n")


@pytest.mark.slow  # a training by the library, of which tests/training have quick ones
def test_the_library_fine_tunes_what_another_recipe_wrote(data, tmp_path, monkeypatch):
    state, output = tmp_path / "runs", tmp_path / "out"
    recipe = segnet.RECIPES[-1]._replace(fine_tuning={"epochs": 1, "batch_size": 2}, epochs=1)
    weights = zoo.load(recipe.name).weights
    output.mkdir()
    safetensors.numpy.save_file(
        {weight.path: np.array(weight, order="C") for weight in weights},
        output / f"{recipe.begins_with}.safetensors",
    )
    (output / f"{recipe.begins_with}.json").write_text(json.dumps({"comparison": {"before": {}}}))
    monkeypatch.setattr("sys.argv", ["segnet.py", str(data), "--state", str(state), "--output", str(output)])
    training.main([recipe], {}, "Train.")
    written = json.loads((output / f"{recipe.name}.json").read_text())
    assert list(written["comparison"]) == ["before", recipe.name]
    assert written["fine_tuning"] == recipe.fine_tuning
    assert (written["epochs"], written["training_steps"]) == ([1], 1)
    assert not list(state.iterdir())  # the next run starts anew


def test_the_weights_that_are_there_are_measured_without_training(data, tmp_path, monkeypatch):
    write_weights(training.untrained(TINY, 10, tmp_path), tmp_path / "tiny.safetensors", "float16")
    (tmp_path / "tiny.json").write_text(json.dumps({"seconds": 7, "comparison": {"old": {}}}))
    monkeypatch.setattr("sys.argv", ["recipes/tiny.py", str(data), "--output", str(tmp_path), "--measure"])
    training.main([TINY], {}, "Train.")
    written = json.loads((tmp_path / "tiny.json").read_text())
    assert written["seconds"] == 7
    assert list(written["comparison"]) == ["tiny"]


@pytest.mark.slow  # trains
def test_a_report_shows_the_networks_that_it_began_with(data, tmp_path):
    write_weights(training.untrained(TINY, 10, tmp_path), tmp_path / "tiny.safetensors", "float16")
    (tmp_path / "coarse.json").write_text(json.dumps({"comparison": {"coarse": {"mean_iou_percent": 1.0}}}))
    recipe = TINY._replace(begins_with="coarse")
    written = training.report(recipe, tmp_path / "tiny.safetensors", camvid.read_split(data, "test"), {}, {})
    assert list(written["comparison"]) == ["coarse", "tiny"]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_registry_repeats_the_report_and_the_recipe(name):
    entry, report, recipe = zoo.info(name), report_of(name), SHIPPED[name]
    assert entry.metrics == report["comparison"][name]
    assert entry.input.mean == training.MEAN
    assert entry.input.std == training.STD
    # A builder's sequences are lists in the registry.
    arguments = {
        key: list(value) if isinstance(value, tuple) else value for key, value in recipe.network.keywords.items()
    }
    assert entry.config == arguments
    assert report["epochs"] in (recipe.epochs, [recipe.epochs])  # the library's runs are a list


@pytest.mark.slow  # trains
@pytest.mark.parametrize(
    ("name", "size_bytes"), first_of_each([("segnet-basic", 2e6), *((recipe.name, 1e6) for recipe in fcn.RECIPES)])
)
def test_the_file_is_small_and_loads_as_the_recipe_s_network(name, size_bytes):
    weights = CHECKPOINTS / f"{name}.safetensors"
    assert weights.stat().st_size < size_bytes
    model = zoo.load(name)
    image = np.random.default_rng(0).integers(256, size=(1, 45, 64, 3)).astype("float32")
    ours = model.predict(image, verbose=0)
    np.testing.assert_allclose(
        ours, filled(training.build(SHIPPED[name]), weights).predict(image, verbose=0), atol=1e-4
    )
    report = report_of(name)
    assert sum(int(np.prod(variable.shape)) for variable in model.trainable_variables) == report["parameters"]


def test_segnet_basic_is_near_the_paper_s():
    paper, _, _, ours = report_of("segnet-basic")["comparison"].values()
    assert paper == {"global_accuracy_percent": 82.7, "mean_class_accuracy_percent": 62.0, "mean_iou_percent": 47.7}
    assert all(ours[key] > value - 2.5 for key, value in paper.items())


def test_finer_skips_give_a_better_segmentation():
    comparison = report_of("fcn8s-small")["comparison"]
    assert list(comparison) == ["fcn32s-small", "fcn16s-small", "fcn8s-small"]
    scores = [row["mean_iou_percent"] for row in comparison.values()]
    assert scores == sorted(scores)
