"""Coordinate regression: what the CoordConv regressor and its twin are trained on, and how an answer is scored."""

import numpy as np

from recipes import coordconv_regressor
from recipes.not_so_clevr import CANVAS, centres, squares


def test_a_round_shows_each_square_once_with_its_centre():
    places = centres()[::100]
    canvases, targets = coordconv_regressor.canvases(places, np.random.default_rng(0))
    assert canvases.shape == (len(places), CANVAS, CANVAS, 1)
    assert sorted(map(tuple, targets)) == sorted(map(tuple, places))
    np.testing.assert_array_equal(canvases[..., 0], squares(targets.astype(int)))


def test_the_score_is_the_distance_in_pixels():
    class Model:
        def predict(self, canvases, **options):
            rows, columns = np.mgrid[:CANVAS, :CANVAS]
            weights = canvases[..., 0] / canvases.sum(axis=(1, 2, 3))[:, None, None]
            found = np.stack([(weights * columns).sum(axis=(1, 2)), (weights * rows).sum(axis=(1, 2))], axis=1)
            return found + np.array([[0, 0], [3, 4]])

    assert coordconv_regressor.score(Model(), np.array([[20, 30], [50, 7]])) == {
        "mean_error_pixels": 2.5,
        "largest_error_pixels": 5.0,
    }
