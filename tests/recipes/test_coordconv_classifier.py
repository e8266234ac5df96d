"""Coordinate classification: what the CoordConv classifier and its twin are trained on."""

import numpy as np

from recipes import coordconv_classifier
from recipes.not_so_clevr import CANVAS, centres, pixel_indices


def test_the_right_pixel_comes_first_and_only_once():
    places = centres()[::50]
    features, targets = coordconv_classifier.candidates(places, np.random.default_rng(0))
    assert features.shape == (len(places), coordconv_classifier.CANDIDATES, 1, 4)
    assert not targets.any()
    pixels = np.rint((features[:, :, 0] + 1) * (CANVAS - 1) / 2).astype(int)
    wanted, found = pixels[..., :2], pixels[..., :1:-1]  # x, y; then y, x
    assert (wanted == wanted[:, :1]).all()
    assert sorted(map(tuple, wanted[:, 0])) == sorted(map(tuple, places))
    is_right = (found == wanted).all(axis=-1)
    assert is_right[:, 0].all()
    assert not is_right[:, 1:].any()
    assert (pixels.min(), pixels.max()) == (0, CANVAS - 1)


def test_the_part_that_learns_sees_the_pixels_as_the_whole_network_does():
    network = coordconv_classifier.NETWORKS["coordconv-classifier"]
    whole, part = network.whole(), network.learning()
    for variable in whole.variables:
        variable.assign({ours.path: ours for ours in part.variables}[variable.path])
    places = np.array([[40, 12], [5, 50]])
    features, _ = network.draw(places, np.random.default_rng(0))
    places = np.rint((features[:, 0, 0, :2] + 1) * (CANVAS - 1) / 2)
    pixels = np.rint((features[:, :, 0, :1:-1] + 1) * (CANVAS - 1) / 2).astype(int)
    canvases = np.asarray(whole(places)).reshape(2, -1)
    indices = np.stack([pixel_indices(row) for row in pixels])
    expected = np.take_along_axis(canvases, indices, axis=1)
    np.testing.assert_allclose(np.asarray(part(features)), expected, atol=1e-4)


def test_the_twin_is_trained_on_whole_canvases():
    places = centres()[::100]
    inputs, indices = coordconv_classifier.whole_canvas(places, np.random.default_rng(0))
    assert sorted(map(tuple, inputs)) == sorted(map(tuple, places))
    np.testing.assert_array_equal(indices, inputs[:, 1] * CANVAS + inputs[:, 0])


def test_the_score_is_the_fraction_of_right_pixels():
    class Model:
        def predict(self, places, **options):
            logits = np.zeros((len(places), CANVAS, CANVAS))
            for canvas, (x, y) in zip(logits, places.astype(int), strict=True):
                canvas[y, x if x < 32 else x - 1] = 1
            return logits

    places = np.array([[5, 40], [31, 10], [32, 10], [50, 50]])
    assert coordconv_classifier.score(Model(), places) == {"percent": 50.0}
