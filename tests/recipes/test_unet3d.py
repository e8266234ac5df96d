"""The recipe of the 3-D U-Net: stopped runs, the baseline, and that the checkpoint scores what its report says."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from recipes import phantoms, phantoms_image, unet3d
from tests.golden_files import trainable_parameters

CHECKPOINT = Path(zoo.__file__).parent / "checkpoints" / f"{unet3d.NAME}.safetensors"


@pytest.fixture(scope="module")
def report():
    return json.loads(CHECKPOINT.with_suffix(".json").read_text())


@pytest.fixture(scope="module")
def held_out():
    return unet3d.held_out()


def test_the_loss_is_small_only_where_the_answer_is_right():
    target = np.array([[1, 0, 0, 0]], "float32")
    right, wrong, nothing = 20 * target - 10, 10 - 20 * target, np.full((1, 4), -10, "float32")
    losses = [
        float(unet3d.entropy_and_overlap(target, keras.ops.convert_to_tensor(x))) for x in (right, nothing, wrong)
    ]
    assert losses[0] < 1e-3
    assert losses[1] == pytest.approx(10 / 4 + 1, abs=1e-2)
    assert losses[2] > losses[1]


def small():
    """Stands for the network in the test of the loop: one layer, quickly traced."""
    counts = keras.Input((None, None, None, 1))
    return keras.Model(counts, keras.layers.Conv3D(1, 1)(counts))


@pytest.mark.slow  # three trainings; test_blurnet.py and test_training_run.py have a quick one
def test_a_stopped_run_resumes_and_ends_like_an_unbroken_one(monkeypatch, unbroken_and_resumed):
    monkeypatch.setattr(unet3d, "STEPS_PER_ROUND", 1)
    monkeypatch.setattr(unet3d, "network", small)
    monkeypatch.setattr(unet3d, "ROUNDS", 3)
    (unbroken, _), (resumed, _) = unbroken_and_resumed(unet3d.train)
    for ours, theirs in zip(resumed.variables, unbroken.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_no_threshold_finds_the_lesions(report, held_out):
    rows = unet3d.thresholds(*held_out)
    assert len(rows) == 8
    for name, row in rows.items():
        assert row["dice_percent"] <= 60, name
        assert row == pytest.approx(report["comparison"][name], abs=0.1)
    assert report["threshold_dice_percent"] == max(report["comparison"][name]["dice_percent"] for name in rows)


def test_the_test_is_not_trained_on(held_out):
    for index in range(2):
        counts, _ = phantoms.phantoms(2, np.random.default_rng([unet3d.SEED, index]))
        assert not any(np.array_equal(counts[0], other) for other in held_out[0])


@pytest.mark.slow  # measures whole sets; test_blurnet.py and test_tcn.py have quick ones
def test_the_checkpoint_scores_what_its_report_says(report, held_out):
    counts, lesions = held_out
    assert CHECKPOINT.stat().st_size < 1_000_000
    # All 32, as zoo.predict answers; on another processor a few voxels of 2.4 million may fall otherwise.
    records = zoo.predict(unet3d.NAME, list(counts[..., 0]), batch_size=4)
    found = np.stack([record.label_map for record in records])[..., None]
    assert 100 * phantoms.dice(found, lesions) == pytest.approx(report["dice_percent"], abs=0.2)
    assert [record["voxels"] for record in records] == found.sum(axis=(1, 2, 3, 4)).tolist()


def test_it_beats_the_best_threshold_by_far(report):
    assert report["dice_percent"] > report["threshold_dice_percent"] + 20


def test_the_registry_repeats_what_was_measured(report):
    model = zoo.load(unet3d.NAME)
    assert model.spec.metrics == {"dice_percent": report["dice_percent"]}
    assert trainable_parameters(model) == report["parameters"] == 1e6 * model.spec.parameters_millions


@pytest.mark.slow  # draws the image again; test_coordconv.py has a quick one
def test_the_image_of_the_card_shows_the_predictions():
    with Image.open(CHECKPOINT.parent.parent / "model_cards" / f"{unet3d.NAME}.png") as image:
        checked_in = np.asarray(image.convert("RGB")).astype(int)
    drawn = np.asarray(phantoms_image.sheet()).astype(int)
    assert drawn.shape == checked_in.shape
    # A voxel on the border may fall otherwise on another processor.
    assert np.mean(np.abs(drawn - checked_in) > 2) < 1e-3, "run: python -m recipes.phantoms_image"
