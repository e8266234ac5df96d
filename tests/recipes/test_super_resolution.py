"""The recipes of super-resolution: patches, stopped runs, and that each checkpoint scores what its report says."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import zoo
from recipes import espcn, fsrcnn, super_resolution
from recipes.photographs import HELD_OUT
from tests.slow import first_of_each
from zoo.catalogue.registry import registry

CHECKPOINTS = Path(zoo.__file__).parent / "checkpoints"
SHIPPED = [(recipe, scale) for recipe in (espcn.RECIPE, fsrcnn.RECIPE) for scale in sorted(recipe.rounds)]


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


NAMES = [f"{recipe.name}-x{scale}" for recipe, scale in SHIPPED]


@pytest.mark.parametrize(("recipe", "scale"), first_of_each(SHIPPED, lambda case: case[0].name), ids=NAMES)
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


@pytest.mark.parametrize("name", [f"{recipe.name}-x{scale}" for recipe, scale in SHIPPED])
def test_the_registry_repeats_what_the_recipe_measured(name):
    entry = registry().find(name)
    photographs = json.loads((CHECKPOINTS / f"{name}.json").read_text())["photographs"].values()
    assert set(entry.metrics) == set(next(iter(photographs)))
    for key, value in entry.metrics.items():
        assert np.mean([row[key] for row in photographs]) == pytest.approx(value, abs=1e-3)
