"""Errors of maps of depths: over the pixels that have truth, each map counting the same."""

import math

import numpy as np
import pytest

from zoo.depth_scores import DepthScores
from zoo.errors import InputError


def test_errors_are_means_over_maps_of_the_pixels_that_have_truth():
    scores = DepthScores()
    scores.add(np.array([[1.0, 5.0, 99.0]]), np.array([[2.0, 2.0, 0.0]]))  # wrong by 1 and 3
    scores.add(np.array([[4.0]]), np.array([[2.0]]))
    assert scores.results() == {"mae_metres": 2.0, "rmse_metres": pytest.approx((math.sqrt(5) + 2) / 2)}
    assert scores.maps == 2


def test_before_the_first_map_there_is_no_number():
    assert all(math.isnan(value) for value in DepthScores().results().values())


def test_many_pixels_of_float32_are_summed_exactly_enough():
    scores = DepthScores()
    scores.add(np.full((1000, 2000), 80.1, "float32"), np.full((1000, 2000), 80.0, "float32"))
    assert scores.results()["mae_metres"] == pytest.approx(0.1, abs=1e-5)


def test_maps_of_two_sizes_are_refused():
    with pytest.raises(InputError, match=r"shape \(2, 2\), its truth \(2, 3\)"):
        DepthScores().add(np.ones((2, 2)), np.ones((2, 3)))


def test_a_map_without_truth_is_refused():
    with pytest.raises(InputError, match="no pixel of truth"):
        DepthScores().add(np.ones((2, 2)), np.zeros((2, 2)))
