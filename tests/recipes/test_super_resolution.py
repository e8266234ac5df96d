"""The recipes of super-resolution: patches, stopped runs, and that each checkpoint scores what its report says."""

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from recipes import espcn, fsrcnn, super_resolution, training_run, wdsr
from recipes.photographs import HELD_OUT
from zoo.architectures.enlargement import luma
from zoo.catalogue.registry import registry
from zoo.layers import BicubicUpSampling2D

CHECKPOINTS = Path(zoo.__file__).parent / "checkpoints"
RECIPES = (espcn.RECIPE, fsrcnn.RECIPE, *wdsr.RECIPES.values())
SHIPPED = [(recipe, scale) for recipe in RECIPES for scale in sorted(recipe.rounds)]


@pytest.fixture
def brief(monkeypatch):
    """ESPCN on one photograph, three rounds of two steps."""
    monkeypatch.setattr(super_resolution, "TRAINING", ("flower.jpg",))
    monkeypatch.setattr(super_resolution, "STEPS_PER_ROUND", 2)
    monkeypatch.setattr(super_resolution, "BATCH_SIZE", 2)
    return dataclasses.replace(espcn.RECIPE, rounds={2: 3})


@pytest.mark.parametrize("scale", [2, 3])
def test_patches_of_the_small_and_of_the_large_image_cover_the_same_place(scale, monkeypatch):
    monkeypatch.setattr(super_resolution, "STEPS_PER_ROUND", 2)
    small = np.random.default_rng(0).uniform(size=(40, 50, 1)).astype("float32")
    large = small.repeat(scale, axis=0).repeat(scale, axis=1)
    inputs, targets = super_resolution.draw([(small, large)], scale, np.random.default_rng(0))
    side = super_resolution.PATCH_PIXELS
    assert inputs.shape == (2 * super_resolution.BATCH_SIZE, side, side, 1)
    np.testing.assert_array_equal(inputs.repeat(scale, axis=1).repeat(scale, axis=2), targets)


@pytest.mark.slow  # three trainings; test_blurnet.py and test_training_run.py have a quick one
def test_a_stopped_run_resumes_and_ends_like_an_unbroken_one(brief, tmp_path, unbroken_and_resumed):
    (unbroken, _), (resumed, _) = unbroken_and_resumed(lambda state: super_resolution.train(brief, 2, state, tmp_path))
    for ours, theirs in zip(resumed.variables, unbroken.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_another_scale_begins_with_the_convolutions_of_the_first():
    model = super_resolution.untrained(fsrcnn.RECIPE, 2, CHECKPOINTS)
    first = super_resolution.whole_network(fsrcnn.RECIPE, 3, fsrcnn.RECIPE.weights(3, CHECKPOINTS))
    shared = {variable.path: np.array(variable) for variable in first.variables}
    for variable in model.layers[-1].variables:
        assert not np.any(np.array(variable))  # the bicubic enlargement
    for layer in model.layers[:-1]:
        for variable in layer.variables:
            np.testing.assert_array_equal(np.array(variable), shared[variable.path])


def test_another_scale_before_the_first_is_one_error(tmp_path):
    with pytest.raises(SystemExit, match=r"fsrcnn-x3\.safetensors.*train that scale first"):
        super_resolution.untrained(fsrcnn.RECIPE, 2, tmp_path)


def test_another_scale_keeps_what_knows_the_scale(tmp_path):
    brief = dataclasses.replace(wdsr.PHOTOS, arguments={"depth": 1, "filters": 2})
    first = super_resolution.untrained(brief, 2, tmp_path)
    for variable in first.variables:
        variable.assign_add(keras.ops.ones(variable.shape))
    training_run.write_weights(first, brief.weights(2, tmp_path))
    other = super_resolution.untrained(brief, 3, tmp_path)
    assert {variable.path for variable in other.variables if not np.any(np.array(variable))} == {
        f"{layer}/{kind}" for layer in wdsr.PHOTOS.scale_layers for kind in ("kernel", "bias")
    }
    np.testing.assert_array_equal(np.array(other.get_layer("head").kernel), np.array(first.get_layer("head").kernel))


def test_images_are_made_smaller_in_all_ways_of_the_recipe(tmp_path):
    (tmp_path / "set").mkdir()
    noise = np.random.default_rng(0).integers(256, size=(75, 81, 3), dtype="uint8")
    Image.fromarray(noise).save(tmp_path / "set" / "noise.png")
    Image.fromarray(noise[:60]).save(tmp_path / "set" / "too-small.png")
    recipe = dataclasses.replace(wdsr.REAL, sets=("set",))
    pairs = super_resolution.training_pairs(recipe, 2, tmp_path)
    assert [(small.shape, lacking.shape) for small, lacking in pairs] == [((37, 40, 1), (74, 80, 1))] * 4
    assert len({small.tobytes() for small, _ in pairs}) == 4
    small, lacking = (np.asarray(plane, "float32") for plane in pairs[0])
    smooth = keras.ops.convert_to_numpy(BicubicUpSampling2D(2)(small[None]))[0]
    large = np.asarray(luma(noise[:74, :80].astype("float32") / 255))
    np.testing.assert_allclose(smooth + lacking, large, atol=2e-3)


def test_images_for_research_have_to_be_given():
    with pytest.raises(SystemExit, match=r"bsds400, div2k-crops, t91\. Give the folder that contains them with --sets"):
        super_resolution.training_pairs(wdsr.RESEARCH, 2)


NAMES = [recipe.weights(scale, CHECKPOINTS).stem for recipe, scale in SHIPPED]


@pytest.mark.slow  # measures whole sets; test_blurnet.py and test_tcn.py have quick ones
@pytest.mark.parametrize(("recipe", "scale"), SHIPPED, ids=NAMES)
def test_the_checkpoint_scores_what_its_report_says(recipe, scale):
    weights = recipe.weights(scale, CHECKPOINTS)
    reported = json.loads(weights.with_suffix(".json").read_text())
    measured = super_resolution.report(recipe, scale, CHECKPOINTS)
    assert weights.stat().st_size < 1_000_000
    assert {key: reported[key] for key in ("command", "metric", "arguments", "parameters")} == {
        key: measured[key] for key in ("command", "metric", "arguments", "parameters")
    }
    assert reported["training_steps"] == recipe.rounds[scale] * super_resolution.STEPS_PER_ROUND
    assert set(measured["photographs"]) == set(reported["photographs"]) == set(HELD_OUT)
    for name, scores in measured["photographs"].items():
        assert scores == pytest.approx(reported["photographs"][name], abs=0.01)
        assert scores["gain_db"] > 0
        assert scores["ssim"] > scores["bicubic_ssim"]
    if weights.stem == "espcn-x2":
        assert measured["mean_gain_db"] >= 1.2


@pytest.mark.parametrize(("recipe", "scale"), SHIPPED, ids=NAMES)
def test_the_registry_repeats_what_the_recipe_measured(recipe, scale):
    entry = registry().find(f"{recipe.name}-x{scale}.{recipe.tag}")
    record = recipe.weights(scale, CHECKPOINTS).with_suffix(".json")
    photographs = json.loads(record.read_text())["photographs"].values()
    assert set(entry.metrics) == set(next(iter(photographs)))
    for key, value in entry.metrics.items():
        assert np.mean([row[key] for row in photographs]) == pytest.approx(value, abs=1e-3)
