"""Irregular holes: their ratio, their values, and that a seed repeats them."""

import numpy as np
import pytest

from recipes.irregular_masks import BINS, hole_percent, irregular_mask


@pytest.mark.parametrize("holes", BINS, ids=str)
@pytest.mark.parametrize(("height", "width"), [(96, 96), (50, 131), (16, 16)])
def test_as_much_is_lost_as_was_asked_for(holes, height, width):
    generator = np.random.default_rng(0)
    for _ in range(20):
        mask = irregular_mask(height, width, holes, generator)
        assert mask.shape == (height, width, 1)
        assert mask.dtype == np.uint8
        assert set(np.unique(mask)) == {0, 1}
        assert holes.low <= hole_percent(mask) <= holes.high


def test_hole_ratios_spread_over_their_range():
    generator = np.random.default_rng(0)
    percents = [hole_percent(irregular_mask(64, 64, BINS[2], generator)) for _ in range(60)]
    assert min(percents) < 23
    assert max(percents) > 28


def test_a_seed_repeats_the_mask_and_another_does_not():
    first, again, other = (irregular_mask(48, 64, BINS[1], np.random.default_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_mask_too_small_for_its_ratio_is_one_error():
    with pytest.raises(ValueError, match=r"at least 16 pixels. Received: 15 x 40"):
        irregular_mask(15, 40, BINS[0], np.random.default_rng(0))
