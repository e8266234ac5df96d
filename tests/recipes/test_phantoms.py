"""The phantoms: counts of what was blurred, lesions inside the body, so faint that no threshold finds them."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from recipes import phantoms
from recipes.phantoms import SHAPE, best_threshold, dice, ellipsoid, healthy, phantom


def test_an_ellipsoid_has_its_half_axes_and_its_volume():
    inside = ellipsoid(np.array([16, 24, 20]), np.array([10, 12, 8]))
    assert inside.shape == SHAPE
    assert [extent.max() - extent.min() for extent in np.nonzero(inside)] == [20, 24, 16]
    assert inside.sum() == pytest.approx(4 / 3 * np.pi * 10 * 12 * 8, rel=0.02)


def test_a_body_holds_organs_and_nothing_lies_outside():
    uptake, body = healthy(np.random.default_rng(0))
    assert not uptake[~body].any()
    assert uptake[body].min() < 0.6  # lungs
    assert uptake[body].max() > 1.2
    assert 0.2 < body.mean() < 0.5


def test_the_counts_are_poisson_around_the_blurred_uptake(monkeypatch):
    class Exact(np.random.Generator):
        """Counts without noise."""

        def poisson(self, lam):
            return lam

    means, lesions = phantom(Exact(np.random.PCG64(0)))
    assert means.shape == lesions.shape == SHAPE
    counts, same = phantom(np.random.default_rng(0))
    np.testing.assert_array_equal(lesions, same)
    np.testing.assert_array_equal(counts, np.rint(counts))
    bright = means > 2
    assert np.mean((counts - means)[bright] ** 2 / means[bright]) == pytest.approx(1, abs=0.05)
    assert 2.5 < means[lesions].mean() < 35
    monkeypatch.setattr(phantoms, "BLUR_VOXELS", 0)
    sharp, _ = phantom(Exact(np.random.PCG64(0)))
    np.testing.assert_allclose(means, gaussian_filter(sharp, 1.0), rtol=1e-3, atol=1e-3)


def test_a_batch_is_the_same_phantoms_one_by_one():
    counts, lesions = phantoms.phantoms(2, np.random.default_rng(3))
    assert counts.shape == lesions.shape == (2, *SHAPE, 1)
    assert set(np.unique(lesions)) == {0, 1}
    first, where = phantom(np.random.default_rng(3))
    np.testing.assert_array_equal(counts[0, ..., 0], first)
    np.testing.assert_array_equal(lesions[0, ..., 0], where)


def test_dice_counts_the_overlap_twice():
    assert dice(np.array([1, 1, 0, 0]), np.array([1, 0, 0, 1])) == 0.5
    assert dice(np.array([1, 0]), np.array([1, 0])) == 1


def test_the_best_threshold_is_the_best_of_all():
    generator = np.random.default_rng(0)
    target = generator.random(300) < 0.2
    values = generator.poisson(3 + 2 * target).astype("float32")  # many values are equal
    threshold, score = best_threshold(values, target)
    assert dice(values >= threshold, target) == pytest.approx(score)
    assert score == pytest.approx(max(dice(values >= value, target) for value in np.unique(values)))
