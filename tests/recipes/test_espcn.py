"""The recipe of ESPCN: its data, its metric, and that the shipped checkpoint scores what its report says."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

import zoo
from recipes import espcn

# Keras 3.15 with NumPy 2.4, when it saves variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
CHECKPOINTS = Path(zoo.__file__).parent / "checkpoints"


def test_no_held_out_photograph_is_trained_on():
    assert not set(espcn.HELD_OUT) & set(espcn.TRAINING)
    held_out = [np.asarray(espcn.photograph(name)) for name in espcn.HELD_OUT]
    for name in espcn.TRAINING:  # nor under another name
        assert not any(np.array_equal(np.asarray(espcn.photograph(name)), picture) for picture in held_out)


def test_degrading_crops_to_a_multiple_of_the_scale():
    large, small = espcn.degrade(Image.new("RGB", (23, 16)), 3)
    assert (large.size, small.size) == ((21, 15), (7, 5))
    assert espcn.bicubic(small, 3).size == large.size


def test_luma_psnr_of_a_known_difference():
    black = np.zeros((6, 6, 3))
    green = black.copy()
    green[2:4, 2:4, 1] = 255  # the inner 2x2 pixels: 128.553 of luma
    green[0, 0] = 255  # in the border, which does not count
    assert espcn.luma_psnr(green, black, border=2) == pytest.approx(20 * math.log10(255 / 128.553))
    assert espcn.luma_psnr(green, black, border=1) == pytest.approx(20 * math.log10(255 / 128.553 * 2))


@pytest.mark.parametrize("scale", [2, 3])
def test_patches_of_the_small_and_of_the_large_picture_cover_the_same_place(scale, monkeypatch):
    monkeypatch.setattr(espcn, "STEPS_PER_ROUND", 2)
    small = np.random.default_rng(0).uniform(size=(40, 50, 1)).astype("float32")
    large = small.repeat(scale, axis=0).repeat(scale, axis=1)
    inputs, targets = espcn.draw([(small, large)], scale, np.random.default_rng(0))
    assert inputs.shape == (2 * espcn.BATCH_SIZE, espcn.PATCH_PIXELS, espcn.PATCH_PIXELS, 1)
    np.testing.assert_array_equal(inputs.repeat(scale, axis=1).repeat(scale, axis=2), targets)


def test_a_stopped_run_goes_on_and_ends_like_an_unbroken_one(tmp_path, monkeypatch):
    monkeypatch.setattr(espcn, "TRAINING", ("flower.jpg",))
    monkeypatch.setattr(espcn, "STEPS_PER_ROUND", 2)
    monkeypatch.setattr(espcn, "BATCH_SIZE", 2)
    monkeypatch.setattr(espcn, "ROUNDS", 3)
    unbroken, _ = espcn.train(2, tmp_path / "unbroken.keras")
    whole_range = range
    monkeypatch.setattr(espcn, "range", lambda start, stop: whole_range(start, 1), raising=False)
    espcn.train(2, tmp_path / "stopped.keras")
    monkeypatch.setattr(espcn, "range", whole_range, raising=False)
    resumed, _ = espcn.train(2, tmp_path / "stopped.keras")
    for ours, theirs in zip(resumed.trainable_variables, unbroken.trainable_variables, strict=True):
        np.testing.assert_allclose(np.array(ours), np.array(theirs), atol=1e-6)


@pytest.mark.parametrize("weights", sorted(CHECKPOINTS.glob("espcn-*.safetensors")), ids=lambda path: path.stem)
def test_the_checkpoint_scores_what_its_report_says(weights):
    report = json.loads(weights.with_suffix(".json").read_text())
    scale = report["arguments"]["scale"]
    model = espcn.whole_network(scale, safetensors.numpy.load_file(weights))
    assert weights.stat().st_size < 1_000_000
    assert model.count_params() == report["parameters"]
    measured = espcn.measure(model, scale)
    assert set(measured) == set(report["photographs"]) == set(espcn.HELD_OUT)
    for name, figures in report["photographs"].items():
        assert measured[name] == pytest.approx(figures, abs=0.01)
    if scale == 2:
        assert np.mean([figures["gain_db"] for figures in measured.values()]) >= 1.2
