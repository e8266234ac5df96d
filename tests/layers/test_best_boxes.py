"""The best boxes, ranked three ways, are those of NumPy."""

import keras
import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import BestBoxes

RANDOM = np.random.default_rng(1)
BOXES = RANDOM.random((2, 30, 4), "float32")
SCORES = RANDOM.permutation(2 * 30 * 5).reshape(2, 30, 5).astype("float32") / 300


def expected(by, count, threshold, background):
    """By sorting; each a list of (score, place, class) for each example."""
    for scores in SCORES:
        found = [(s, p, c) for (p, c), s in np.ndenumerate(scores) if c >= background and s > threshold]
        if by == "place":
            found = [max(item for item in found if item[1] == p) for p in sorted({item[1] for item in found})]
        if by == "class":
            for c in range(background, scores.shape[1]):
                yield sorted((item for item in found if item[2] == c), reverse=True)[:count]
        else:
            yield sorted(found, reverse=True)[:count]


@pytest.mark.parametrize("background", [0, 1])
@pytest.mark.parametrize("by", ["pair", "place", "class"])
@pytest.mark.parametrize("count", [7, 40])
def test_the_best_are_those_of_numpy(by, count, background):
    layer = BestBoxes(count, threshold=0.4, by=by, background=background)
    boxes, scores, classes = promises.run(layer, [BOXES, SCORES])
    assert [x.shape for x in (boxes, scores, classes)] == list(layer.compute_output_shape([BOXES.shape, SCORES.shape]))
    boxes, scores, classes = (x.reshape(-1, count, *x.shape[2:]) for x in (boxes, scores, classes))
    groups = list(expected(by, count, 0.4, background))
    for index, found in enumerate(groups):
        example = index * len(BOXES) // len(groups)
        best, places, names = (list(values) for values in zip(*found, strict=True))
        assert scores[index].tolist() == best + [-1] * (count - len(best))
        assert classes[index, : len(best)].tolist() == names
        np.testing.assert_array_equal(boxes[index, : len(best)], BOXES[example, places])


@pytest.mark.parametrize("by", ["pair", "place", "class"])
def test_unknown_sizes_and_xla_change_nothing(by, tmp_path):
    layer = BestBoxes(40, by=by, background=1)
    found = promises.run(layer, [BOXES, SCORES])
    symbols = [keras.Input((None, 4)), keras.Input((None, 5))]
    model = keras.Model(symbols, layer(symbols))
    assert [x.shape for x in model.outputs] == list(layer.compute_output_shape([(None, None, 4), (None, None, 5)]))
    promises.assert_same(promises.run(model, [BOXES, SCORES]), found)
    promises.compiles(layer, [BOXES, SCORES], tmp_path)
    model.save(tmp_path / "model.keras")
    promises.assert_same(promises.run(keras.saving.load_model(tmp_path / "model.keras"), [BOXES, SCORES]), found)


def test_an_unknown_ranking_is_named():
    with pytest.raises(InputError, match="`by` must be one of"):
        BestBoxes(3, by="area")
