"""Rendering: what the CoordConv renderer and its twin are trained on, and how a drawing is scored."""

import numpy as np
import pytest

from recipes import coordconv_renderer
from recipes.coordconv_classifier import CANDIDATES
from recipes.not_so_clevr import CANVAS, centres, squares


def test_a_step_sees_the_square_its_surroundings_and_the_rest():
    places = centres()[::50]
    features, targets = coordconv_renderer.inside_and_around(places, np.random.default_rng(0))
    assert features.shape == (len(places), CANDIDATES, 1, 4)
    pixels = np.rint((features[:, :, 0] + 1) * (CANVAS - 1) / 2).astype(int)
    wanted, seen = pixels[:, 0, :2], pixels[..., :1:-1]  # x, y; then y, x
    assert sorted(map(tuple, wanted)) == sorted(map(tuple, places))
    assert (pixels.min(), pixels.max()) == (0, CANVAS - 1)
    canvases = squares(wanted)
    expected = canvases[np.arange(len(places))[:, None], seen[..., 1], seen[..., 0]]
    np.testing.assert_array_equal(targets, expected)
    assert 0.15 < targets.mean() < 0.35
    distances = np.abs(seen - wanted[:, None]).max(axis=-1)
    assert (distances[:, : CANDIDATES // 2] <= coordconv_renderer.NEAR_PIXELS).all()
    assert (distances[:, CANDIDATES // 2 :] > coordconv_renderer.NEAR_PIXELS).mean() > 0.8


def test_the_twin_is_trained_on_whole_canvases():
    places = centres()[::100]
    inputs, canvases = coordconv_renderer.whole_canvas(places, np.random.default_rng(0))
    assert sorted(map(tuple, inputs)) == sorted(map(tuple, places))
    np.testing.assert_array_equal(canvases, squares(inputs.astype(int)))


def test_the_score_is_intersection_over_union():
    class Model:
        def predict(self, places, **options):
            drawn = np.where(squares(places.astype(int)) > 0, 3.0, -3.0)
            drawn[1] = np.roll(drawn[1], 3, axis=1)  # 9 x 6 pixels of 9 x 9 remain
            drawn[2] = -1.0
            return drawn

    scores = coordconv_renderer.score(Model(), np.array([[20, 30], [20, 30], [20, 30]]))
    assert scores == {"iou": pytest.approx((1 + 54 / 108 + 0) / 3, abs=1e-4), "lowest_iou": 0.0}
