"""The recipe of BlurNet: what is drawn, stopped runs, and that each checkpoint scores what its report says."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from recipes import blurnet, textures_image
from recipes.textures import LABELS, planes, windows
from recipes.training_run import filled
from tests.golden_files import trainable_parameters
from tests.marked_cases import first_of_each

CHECKPOINTS = Path(zoo.__file__).parent / "checkpoints"
SHIPPED = list(blurnet.BLURS)
SCORES = ("accuracy_percent", "consistency_percent")


def report_of(name):
    return json.loads((CHECKPOINTS / f"{name}.json").read_text())


def test_a_round_holds_patches_of_every_texture_within_the_grey_levels(monkeypatch):
    monkeypatch.setattr(blurnet, "STEPS_PER_ROUND", 3)
    patches, labels = blurnet.draw(planes("train"), np.random.default_rng(0))
    assert patches.shape == (3 * blurnet.BATCH_SIZE, 32, 32, 3)
    assert set(labels) == set(range(len(LABELS)))
    assert patches.min() >= 0
    assert patches.max() <= 255
    np.testing.assert_array_equal(patches[..., 0], patches[..., 2])
    again, _ = blurnet.draw(planes("train"), np.random.default_rng(1))
    assert not np.array_equal(patches, again)


def small(name):
    """Stands for a network in the test of the loop: one layer, quickly traced."""
    image = keras.Input((32, 32, 3))
    pooled = keras.layers.AveragePooling2D(8)(keras.layers.Rescaling(1 / 255)(image))
    return keras.Model(image, keras.layers.Dense(len(LABELS))(keras.layers.Flatten()(pooled)))


@pytest.mark.slow  # trains twice
def test_a_stopped_run_resumes_and_ends_like_an_unbroken_one(monkeypatch, unbroken_and_resumed):
    monkeypatch.setattr(blurnet, "STEPS_PER_ROUND", 2)
    monkeypatch.setattr(blurnet, "BATCH_SIZE", 8)
    monkeypatch.setattr(blurnet, "network", small)
    monkeypatch.setattr(blurnet, "ROUNDS", 3)
    (unbroken, _), (resumed, _) = unbroken_and_resumed(lambda state: blurnet.train("blurnet-textures", 0, state))
    for ours, theirs in zip(resumed.variables, unbroken.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", first_of_each(SHIPPED))
def test_the_checkpoint_scores_what_its_report_says(name):
    weights, report = CHECKPOINTS / f"{name}.safetensors", report_of(name)
    assert weights.stat().st_size < 400_000
    # Of 4,000 windows a few lie so near a border that another processor answers otherwise.
    assert blurnet.measure(name, weights) == pytest.approx({key: report[key] for key in SCORES}, abs=0.2)
    first_seed = report["seeds"]["seed 0"]
    assert all(first_seed[f"{name.split('-')[0]}_{key}"] == report[key] for key in SCORES)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_registry_loads_the_same_network_and_repeats_what_was_measured(name):
    entry, report = zoo.info(name), report_of(name)
    assert entry.metrics == {key: report[key] for key in SCORES}
    assert entry.labels == LABELS
    assert trainable_parameters(zoo.load(name)) == report["parameters"] == 1e6 * entry.parameters_millions
    pixels, labels = windows(planes("test"), 20, np.random.default_rng(0))
    trained = filled(blurnet.network(name), CHECKPOINTS / entry.filename)
    logits = trained(np.repeat(pixels[..., None], 3, axis=-1))
    answers = [record["predictions"][0]["label"] for record in zoo.predict(name, list(pixels))]
    assert answers == [LABELS[index] for index in np.asarray(logits).argmax(axis=-1)]
    assert np.mean([answer == LABELS[label] for answer, label in zip(answers, labels, strict=True)]) > 0.7


def test_the_blurred_twin_is_more_consistent_and_no_less_accurate():
    report = report_of("blurnet-textures")
    assert report["seeds"] == report_of("maxpool-textures")["seeds"]
    mean = report["mean"]
    assert mean["blurnet_consistency_percent"] > mean["maxpool_consistency_percent"]
    assert mean["blurnet_accuracy_percent"] >= mean["maxpool_accuracy_percent"]
    for key, value in mean.items():
        assert value == pytest.approx(np.mean([row[key] for row in report["seeds"].values()]), abs=0.01)


def test_the_curves_of_the_image_are_scores_of_the_right_texture():
    pieces, labels = textures_image.walks(np.random.default_rng(0))
    assert pieces.shape == (200, 32, 55)
    chosen = [0, 45]
    curves = textures_image.scores("blurnet-textures", pieces[chosen], labels[chosen])
    assert curves.shape == (2, 24)
    for curve, piece, label in zip(curves, pieces[chosen], labels[chosen], strict=True):
        answers = zoo.predict("blurnet-textures", piece[:, 7:39], top=len(LABELS))[0]["predictions"]
        expected = next(answer["score"] for answer in answers if answer["index"] == label)
        assert curve[7] == pytest.approx(expected, abs=1e-4)
