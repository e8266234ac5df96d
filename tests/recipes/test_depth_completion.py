"""The recipe of the network that improves a fill of depths: what it trains on, the loss, stopped runs."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from recipes import depth_completion
from recipes import sparseconvnet_scores as scoring
from zoo.datasets import depth_maps

RECORD = Path(zoo.__file__).parent / "checkpoints" / f"{depth_completion.NAME}.json"


@pytest.fixture
def pairs(tmp_path):
    """A plane, nearer below, seen at one pixel in ten."""
    plane = np.linspace(60, 5, 150)[:, None] * np.ones(200)
    chances = np.random.default_rng(0).random(plane.shape)
    for kind, share in (("sparse", 0.02), ("dense", 0.1)):
        path = tmp_path / "train" / kind / "0.png"
        path.parent.mkdir(parents=True)
        Image.fromarray((np.where(chances < share, plane, 0) * 256).astype("uint16")).save(path)
    return depth_maps.find_pairs(tmp_path, "train")


@pytest.fixture
def brief(monkeypatch):
    for name, value in {"STEPS_PER_ROUND": 2, "BATCH_SIZE": 4, "ROUNDS": 4, "PATCH": (64, 64)}.items():
        monkeypatch.setattr(depth_completion, name, value)
    depth_completion.points.cache_clear()
    yield
    depth_completion.points.cache_clear()


def test_the_network_is_never_shown_what_it_is_asked_for(pairs, brief):
    inputs, wanted = depth_completion.draw(pairs, np.random.default_rng(0))
    image, mask = inputs["image"], inputs["mask"]
    assert image.shape == mask.shape == wanted.shape == (8, 64, 64, 1)
    np.testing.assert_array_equal(mask, image > 0)
    assert not (mask * wanted).any()
    assert wanted.reshape(8, -1).any(axis=1).all()
    assert np.ptp(mask.mean(axis=(1, 2, 3))) > 0.01  # densities differ


def test_of_each_square_the_nearest_point_is_kept(pairs, brief):
    whole, half = (depth_completion.points(pairs[0], shrink) for shrink in (1, 2))
    rows, columns = 20, 30
    square = whole[2 * rows : 2 * rows + 40, 2 * columns : 2 * columns + 60].reshape(20, 2, 30, 2)
    expected = np.where(square > 0, square, np.inf).min(axis=(1, 3))
    np.testing.assert_array_equal(
        half[rows : rows + 20, columns : columns + 30], np.where(np.isinf(expected), 0, expected)
    )


def test_points_behind_a_nearer_one_are_not_asked_for():
    depths = np.array([[10, 0, 30, 0, 0, 30, 10.5, 0]])
    np.testing.assert_array_equal(depth_completion.in_front(depths), [[10, 0, 0, 0, 0, 0, 10.5, 0]])


def test_the_loss_counts_large_errors_more_but_none_by_its_square():
    target = np.array([0, 10, 20, 30], "float32").reshape(1, 4, 1, 1)
    prediction = np.array([99, 12, 20, 40], "float32").reshape(1, 4, 1, 1)
    expected = (2 + 2**2 / 8 + 10 + (10 - 4 / 2)) / 3
    assert float(depth_completion.loss(target, prediction)) == pytest.approx(expected)
    assert float(depth_completion.loss(0 * target, prediction)) == 0


@pytest.mark.slow  # three trainings; test_blurnet.py and test_training_run.py have a quick one
def test_a_stopped_run_resumes_and_ends_like_an_unbroken_one(pairs, brief, unbroken_and_resumed):
    (unbroken, _), (resumed, _) = unbroken_and_resumed(lambda state: depth_completion.train(pairs, state))
    for ours, theirs in zip(resumed.variables, unbroken.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow  # measures whole sets; test_blurnet.py and test_tcn.py have quick ones
def test_the_checkpoint_scores_on_the_motorcycle_what_its_report_says():
    reported = json.loads(RECORD.read_text())["motorcycle_curve"][depth_completion.MODEL]["20_percent"]
    disparities = scoring.motorcycle()
    answer = scoring.inverted(scoring.answers(zoo.load(depth_completion.MODEL)))
    scored = scoring.scores(answer, [(disparities, disparities)], 20)["mae_metres"]
    assert scored == pytest.approx(reported, rel=1e-3, abs=1e-3)


def test_the_registry_repeats_what_was_measured_and_it_is_ahead_of_interpolation_and_of_the_papers_network():
    record = json.loads(RECORD.read_text())
    entry = zoo.info("sparseconvnet")
    assert entry.name == depth_completion.MODEL
    assert entry.metrics == record["kitti"][entry.name]
    rows = record["kitti_methods"]
    for name in ("nearest", "linear", "sparseconvnet.random-density"):
        for column in ("100 %, MAE", "100 %, RMSE", "25 %, MAE", "25 %, RMSE", "5 %, MAE"):
            assert rows[entry.name][column] < rows[name][column], (name, column)
