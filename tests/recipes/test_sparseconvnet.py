"""The recipe of the sparsity-invariant network: what it trains on, stopped runs, and what the shipped files score."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from recipes import sparseconvnet, sparseconvnet_scores
from zoo.datasets import depth_maps

CHECKPOINTS = Path(zoo.__file__).parent / "checkpoints"
HEIGHT, WIDTH = 150, 200


@pytest.fixture
def pairs(tmp_path):
    """Two planes, nearer below, seen at one pixel in ten, and at one in a hundred."""
    plane = np.linspace(60, 5, HEIGHT)[:, None] * np.ones(WIDTH)
    for index in range(2):
        chances = np.random.default_rng(index).random(plane.shape)
        chances[:10] = 1  # the sky
        for kind, share in (("sparse", 0.01), ("dense", 0.1)):
            path = tmp_path / "train" / kind / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((np.where(chances < share, plane, 0) * 256).astype("uint16")).save(path)
    return depth_maps.find_pairs(tmp_path, "train")


@pytest.mark.parametrize("density", sparseconvnet.DENSITIES)
def test_a_network_is_never_told_what_it_is_asked(pairs, density, monkeypatch):
    monkeypatch.setattr(sparseconvnet, "STEPS_PER_ROUND", 8)
    inputs, wanted = sparseconvnet.draw(pairs, density, np.random.default_rng(0))
    told, mask = inputs["image"], inputs["mask"]
    assert told.shape == mask.shape == wanted.shape == (16, *sparseconvnet.PATCH, 1)
    np.testing.assert_array_equal(mask, told > 0)
    assert not (mask * wanted).any()
    assert told.max() <= 60
    assert wanted.reshape(16, -1).any(axis=1).all()


def test_one_density_is_that_of_the_files_and_the_other_is_random(pairs, monkeypatch):
    monkeypatch.setattr(sparseconvnet, "STEPS_PER_ROUND", 8)
    shares = {}
    for density in sparseconvnet.DENSITIES:
        inputs, _ = sparseconvnet.draw(pairs, density, np.random.default_rng(0))
        shares[density] = inputs["mask"].mean(axis=(1, 2, 3))
    assert np.ptp(shares["one-density"]) < 0.005
    assert shares["random-density"].min() < 0.01
    assert shares["random-density"].max() > 0.2  # the points are not denser than 0.1; filled, they are


def test_the_loss_is_the_mean_error_where_there_is_target():
    target = np.array([0, 10, 20], "float32").reshape(1, 3, 1, 1)
    prediction = np.array([99, 11, 17], "float32").reshape(1, 3, 1, 1)
    assert float(sparseconvnet.absolute_metres(target, prediction)) == 2
    assert float(sparseconvnet.absolute_metres(0 * target, prediction)) == 0


@pytest.mark.slow  # three trainings; test_blurnet.py and test_training_run.py have a quick one
def test_a_stopped_run_resumes_and_ends_like_an_unbroken_one(pairs, monkeypatch, unbroken_and_resumed):
    monkeypatch.setattr(sparseconvnet, "STEPS_PER_ROUND", 2)
    monkeypatch.setattr(sparseconvnet, "ROUNDS_PER_STATE", 1)
    monkeypatch.setattr(sparseconvnet, "ROUNDS", 3)
    monkeypatch.setattr(sparseconvnet, "PATCH", (32, 32))
    (unbroken, _), (resumed, _) = unbroken_and_resumed(
        lambda state: sparseconvnet.train(pairs, "sparseconvnet", "random-density", state)
    )
    for ours, theirs in zip(resumed.variables, unbroken.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_fewer_points_are_some_of_the_more_points():
    depths = np.ones((100, 100), "float32")
    few, more = (sparseconvnet_scores.keep(depths, percent, index=3) for percent in (5, 50))
    assert few.mean() == pytest.approx(0.05, abs=0.01)
    assert more.mean() == pytest.approx(0.5, abs=0.02)
    assert not ((few > 0) & (more == 0)).any()
    assert (sparseconvnet_scores.keep(depths, 5, index=4) != few).any()


def test_the_nearest_neighbour_is_the_nearest():
    sparse = np.zeros((3, 7), "float32")
    sparse[1, 1], sparse[1, 6] = 4, 9
    np.testing.assert_array_equal(sparseconvnet_scores.nearest(sparse)[0], [4, 4, 4, 4, 9, 9, 9])


def test_the_curve_says_how_many_times_the_smallest_error_the_largest_is():
    target = np.full((50, 50), 10, "float32")
    measured = sparseconvnet_scores.by_percent(
        lambda sparse: target + 1 / (sparse > 0).mean(), [(target, target)], (25, 50)
    )
    row = sparseconvnet_scores.curve(measured)
    assert row["max_by_min"] == pytest.approx(2, abs=0.15)
    assert row["25_percent"] == pytest.approx(4, abs=0.3)


def test_the_motorcycle_has_disparities_and_holes():
    disparities = sparseconvnet_scores.motorcycle()
    assert disparities.shape == (500, 741)
    assert 0.9 < (disparities > 0).mean() < 0.95
    assert 7 < disparities[disparities > 0].min() < disparities.max() < 60


def report_of(name, density):
    return json.loads((CHECKPOINTS / f"{name}-{density}.json").read_text())


@pytest.mark.slow  # measures whole sets; test_blurnet.py and test_tcn.py have quick ones
@pytest.mark.parametrize(("name", "density"), sparseconvnet.RUNS)
@pytest.mark.parametrize("percent", [70, 5])
def test_the_checkpoint_scores_on_the_motorcycle_what_its_report_says(name, density, percent):
    reported = report_of(name, density)["motorcycle_curve"][f"{name}.{density}"][f"{percent}_percent"]
    answer = sparseconvnet_scores.answers(zoo.load(f"{name}.{density}"))
    disparities = sparseconvnet_scores.motorcycle()
    scored = sparseconvnet_scores.scores(answer, [(disparities, disparities)], percent)["mae_metres"]
    assert scored == pytest.approx(reported, rel=1e-3, abs=1e-3)


@pytest.mark.slow  # measures whole sets; test_blurnet.py and test_tcn.py have quick ones
def test_nearest_neighbour_scores_on_the_motorcycle_what_the_reports_say():
    reported = report_of(*sparseconvnet.RUNS[0])["motorcycle_curve"]["nearest neighbour"]
    assert sparseconvnet_scores.motorcycle_curve(sparseconvnet_scores.nearest) == reported


@pytest.mark.parametrize(("name", "density"), sparseconvnet.RUNS)
def test_the_registry_repeats_what_was_measured(name, density):
    entry = zoo.info(f"{name}.{density}")
    row = report_of(name, density)["kitti"][entry.name]
    assert entry.metrics == row
    assert entry.license == "cc-by-nc-sa-3.0"


def test_the_twins_show_the_point_of_the_paper():
    report = report_of("sparseconvnet", "one-density")
    ratios = {method: row["max_by_min"] for method, row in report["motorcycle_curve"].items()}
    assert ratios["sparseconvnet.random-density"] <= 1.3
    assert ratios["sparseconvnet.one-density"] <= ratios["depth-convnet.one-density"] / 2
    sparse, plain = (report["kitti_curve"][f"{name}.one-density"] for name in ("sparseconvnet", "depth-convnet"))
    # Not of the ratio: with a twentieth of the points, many pixels see none, which no normalisation mends.
    assert all(
        sparse[f"{percent}_percent"] < plain[f"{percent}_percent"] for percent in sparseconvnet_scores.KITTI_PERCENT
    )


def test_where_points_are_few_the_network_makes_fewer_large_errors_than_nearest_neighbour():
    kitti = report_of("sparseconvnet", "random-density")["kitti"]
    network, nearest = kitti["sparseconvnet.random-density"], kitti["nearest neighbour"]
    assert network["quarter_rmse_metres"] < nearest["quarter_rmse_metres"]
