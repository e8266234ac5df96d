"""The recipe of TCN: what is never trained on, and that the checkpoint scores what its report says."""

import json
from pathlib import Path

import numpy as np
import pytest

import zoo
from recipes import tcn
from zoo.catalogue.registry import registry

CHECKPOINT = Path(zoo.__file__).parent / "checkpoints" / f"{tcn.NAME}.safetensors"


@pytest.fixture(scope="module")
def report():
    return json.loads(CHECKPOINT.with_suffix(".json").read_text())


def test_every_forecast_week_lies_after_the_training(report):
    series = tcn.co2()
    assert not series.isna().any()
    origins = tcn.origins(len(series))
    assert len(origins) == 20
    assert origins.min() >= len(series) - tcn.TEST_WEEKS
    assert origins.max() + tcn.ARGUMENTS["horizon"] <= len(series)
    assert report["trained_until"] == str(series.index[-tcn.TEST_WEEKS - 1].date()) <= min(report["origins"])


def test_a_copy_is_followed_by_its_own_future():
    known = np.random.default_rng(0).normal(size=300).astype("float32")
    copies, following = tcn.draw(known, 2, np.random.default_rng(0))
    assert copies.shape == (2, 300 - 52, 1)
    assert following.shape == (2, 300 - 52 - 52, 52)
    np.testing.assert_array_equal(following[:, 0, 0], copies[:, 53, 0])
    np.testing.assert_array_equal(following[:, 1, :-1], following[:, 0, 1:])
    assert not np.allclose(copies[0], copies[1])


@pytest.mark.slow  # three trainings; test_blurnet.py and test_training_run.py have a quick one
def test_a_stopped_run_resumes_and_ends_like_an_unbroken_one(monkeypatch, unbroken_and_resumed):
    monkeypatch.setattr(tcn, "STEPS", 3)
    monkeypatch.setattr(tcn, "STEPS_PER_ROUND", 1)
    monkeypatch.setattr(tcn, "BATCH_SIZE", 1)
    monkeypatch.setattr(tcn, "ARGUMENTS", {**tcn.ARGUMENTS, "dilations": (1,)})
    known = np.random.default_rng(0).normal(size=120).astype("float32")
    (unbroken, _), (resumed, _) = unbroken_and_resumed(lambda state: tcn.train(known, state))
    for ours, theirs in zip(resumed.variables, unbroken.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_checkpoint_scores_what_its_report_says(report):
    series, model = tcn.co2().to_numpy(), zoo.load(tcn.NAME)
    assert model.count_params() == report["parameters"]
    forecasters = {
        "mae_ppm": lambda known: zoo.predict(model, known)[0]["forecast"],
        "seasonal_naive_mae_ppm": tcn.seasonal_naive,
        "seasonal_naive_with_drift_mae_ppm": tcn.seasonal_naive_with_drift,
    }
    for origin, row in zip(tcn.origins(len(series)), report["origins"].values(), strict=True):
        for key, forecaster in forecasters.items():
            assert tcn.error(forecaster, series, origin) == pytest.approx(row[key], abs=2e-3)
    assert report["mean"] == tcn.mean(list(report["origins"].values()))


@pytest.mark.slow  # a fit takes seconds; the forecaster beside it is always measured
@pytest.mark.filterwarnings("ignore:Optimization failed to converge")
def test_holt_winters_scores_what_the_report_says(report):
    series = tcn.co2().to_numpy()  # the last origin alone: a fit takes seconds
    row = list(report["origins"].values())[-1]
    origin = tcn.origins(len(series))[-1]
    assert tcn.error(tcn.holt_winters, series, origin) == pytest.approx(row["holt_winters_mae_ppm"], abs=0.02)
    error = tcn.error(tcn.holt_winters_10_years, series, origin)
    assert error == pytest.approx(row["holt_winters_10_years_mae_ppm"], abs=0.02)


def test_it_beats_the_seasonal_naive_forecast(report):
    assert report["mean"]["mae_ppm"] < report["mean"]["seasonal_naive_mae_ppm"]


def test_the_registry_repeats_what_the_recipe_measured(report):
    for key, value in registry().find(tcn.NAME).metrics.items():
        assert report["mean"][key] == value
