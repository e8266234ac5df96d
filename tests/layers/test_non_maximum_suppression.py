"""The boxes that are kept are those of torchvision's `nms` and `batched_nms`, ties among the scores included."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.layers import promises
from tests.marked_cases import first_of_each
from zoo.layers import NonMaximumSuppression


@pytest.fixture(scope="module")
def golden():
    return np.load(Path(__file__).parents[1] / "golden" / "boxes.npz")


def inputs(golden):
    """Two examples, the second with its boxes in another order."""
    order = np.random.default_rng(0).permutation(len(golden["scores"]))
    return [np.stack([golden[name], golden[name][order]]) for name in ("boxes", "scores", "classes")]


@pytest.mark.parametrize(
    ("kind", "tenths"), first_of_each([(kind, tenths) for kind in ("classes", "agnostic") for tenths in (3, 5, 7)])
)
def test_the_boxes_are_those_of_torchvision(golden, kind, tenths):
    kept = golden[f"{kind}_{tenths}"]
    layer = NonMaximumSuppression(320, tenths / 10, class_agnostic=kind == "agnostic")
    boxes, scores, classes, count = promises.run(layer, [golden[name][None] for name in ("boxes", "scores", "classes")])
    assert count.tolist() == [len(kept)]
    for found, name, empty in ((boxes, "boxes", 0), (scores, "scores", 0), (classes, "classes", -1)):
        np.testing.assert_array_equal(found[0, : len(kept)], golden[name][kept])
        assert (found[0, len(kept) :] == empty).all()


def test_only_so_many_come_out(golden):
    boxes, _, _, count = promises.run(NonMaximumSuppression(4, 0.5), inputs(golden))
    assert boxes.shape == (2, 4, 4)
    assert count.tolist() == [4, 4]
    np.testing.assert_array_equal(boxes[0], golden["boxes"][golden["classes_5"][:4]])


def test_without_a_score_there_is_no_box():
    outputs = promises.run(
        NonMaximumSuppression(3),
        [np.ones((1, 5, 4), "float32"), np.array([[0, -1, 0, -1, 0]], "float32"), np.zeros((1, 5), "int32")],
    )
    assert [x.tolist() for x in outputs[1:]] == [[[0, 0, 0]], [[-1, -1, -1]], [0]]


def test_of_boxes_without_area_one_of_each_class_stays():
    boxes = np.array([[[3, 3, 3, 3], [5, 5, 5, 9], [0, 0, 4, 4], [7, 7, 7, 7]]], "float32")
    scores, classes = np.array([[0.9, 0.8, 0.7, 0.6]], "float32"), np.array([[0, 0, 0, 1]], "int32")
    _, kept, labels, count = promises.run(NonMaximumSuppression(4), [boxes, scores, classes])
    assert count.tolist() == [3]
    np.testing.assert_allclose(kept[0], [0.9, 0.7, 0.6, 0])
    assert labels.tolist() == [[0, 0, 1, -1]]


@pytest.mark.slow  # XLA compiles
def test_unknown_sizes_and_xla_change_nothing(golden, tmp_path):
    layer, given = NonMaximumSuppression(50), inputs(golden)
    found = promises.run(layer, given)
    symbols = [keras.Input((None, 4)), keras.Input((None,)), keras.Input((None,), dtype="int32")]
    model = keras.Model(symbols, layer(symbols))
    assert [x.shape for x in model.outputs] == [(None, 50, 4), (None, 50), (None, 50), (None,)]
    assert [keras.backend.standardize_dtype(x.dtype) for x in model.outputs] == ["float32"] * 2 + ["int32"] * 2
    promises.assert_same(promises.run(model, given), found)
    promises.compiles(layer, given, tmp_path)
    model.save(tmp_path / "model.keras")
    promises.assert_same(promises.run(keras.saving.load_model(tmp_path / "model.keras"), given), found)
