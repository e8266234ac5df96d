"""Errors of depth maps: over the pixels that have a target, each map counting the same."""

import math

import numpy as np
import pytest

from zoo.errors import InputError
from zoo.measures.depth import DepthMeasure


def measured(*pairs):
    measure = DepthMeasure()
    for depths, target in pairs:
        measure.add(np.array([depths]), np.array([target]))
    return measure.results()


def test_errors_are_means_over_maps_of_the_pixels_that_have_a_target():
    wrong_by_1_and_3 = [[1.0, 5.0, 99.0]], [[2.0, 2.0, 0.0]]
    results = measured(wrong_by_1_and_3, ([[4.0]], [[2.0]]))
    assert results == {"count": 2, "mae_metres": 2.0, "rmse_metres": pytest.approx((math.sqrt(5) + 2) / 2)}


def test_before_the_first_map_there_is_no_metric():
    assert DepthMeasure().results() == {"count": 0}


def test_many_pixels_of_float32_are_summed_exactly_enough():
    results = measured((np.full((1000, 2000), 80.1, "float32"), np.full((1000, 2000), 80.0, "float32")))
    assert results["mae_metres"] == pytest.approx(0.1, abs=1e-5)


def test_maps_of_two_sizes_are_refused():
    with pytest.raises(InputError, match=r"shape \(2, 2\), their targets \(2, 3\)"):
        measured((np.ones((2, 2)), np.ones((2, 3))))


def test_a_map_without_a_target_does_not_count():
    assert measured((np.ones((2, 2)), np.zeros((2, 2)))) == {"count": 0}
    results = measured((np.ones((2, 2)), np.zeros((2, 2))), (np.ones((2, 2)), np.full((2, 2), 4.0)))
    assert results == {"count": 1, "mae_metres": 3.0, "rmse_metres": 3.0}
