"""SSD: which default boxes stand for an object, and its loss against the paper's rules written out in NumPy."""

import keras
import numpy as np
import pytest

from tests.training.small_tasks import ssd as described
from zoo import architectures
from zoo.layers.box_geometry import encode_offsets
from zoo.training.detectors import BACKGROUND, IGNORED, ssd
from zoo.training.detectors.places import overlaps
from zoo.weights.filling import abstract

ENTRY = described(num_classes=3)
BOXES = np.array([[30.0, 30, 62, 62], [100, 50, 260, 240], [200, 10, 205, 13]])
CLASSES = np.array([1, 2, 1])


def target_of(boxes=BOXES, classes=CLASSES, crowds=()):
    return ssd.targets(np.array(boxes, "float32").reshape(-1, 4), np.array(classes, int), crowds, ENTRY)


def loss(*arrays):
    tensors = [keras.ops.convert_to_tensor(np.asarray(array, "float32")) for array in arrays]
    return float(ssd.loss(ENTRY)(*tensors))


def test_the_default_boxes_are_those_of_the_model(monkeypatch):
    monkeypatch.setattr("zoo.architectures.ssd.FILTERS", (8, 8, 8, 8, 8))  # maps of the same sizes, sooner
    with abstract():
        model = architectures.build(ENTRY, input_shape=(300, 300, 3))
    layers = [model.get_layer(f"anchors-{level}") for level in range(6)]
    anchors = keras.Model(model.input, [layer.output for layer in layers])
    expected = np.concatenate([keras.ops.convert_to_numpy(each) for each in anchors(np.zeros((1, 300, 300, 3)))])
    np.testing.assert_array_equal(ssd.all_places(ENTRY), expected)
    assert model.output["cls_logits"].shape == (None, 8732, 3)


def test_boxes_from_half_an_overlap_stand_for_an_object_and_one_in_any_case():
    target, overlap = target_of(), overlaps(ssd.all_places(ENTRY), BOXES)
    assert overlap[:, 2].max() < 0.1  # the third is smaller than all default boxes
    best = overlap.argmax(axis=0)
    expected = np.where(overlap.max(axis=1) >= 0.5, CLASSES[overlap.argmax(axis=1)], BACKGROUND)
    expected[best] = CLASSES
    np.testing.assert_array_equal(target[:, 0], expected)
    assert (target[:, 0] == 1).sum() > 2
    assert (target[:, 0] == 2).sum() > 2
    np.testing.assert_array_equal(target[best, 1:], BOXES)


def test_the_best_box_of_one_object_is_its_own_even_if_it_overlaps_another_more():
    places = np.array([[0.0, 0, 10, 10], [0, 0, 10, 4]])
    objects = np.array([[0.0, 0, 10, 9], [0, 8, 10, 10]])  # only the first place touches the second object
    assert ssd.match(places, objects).tolist() == [1, BACKGROUND]


def test_an_image_without_objects_is_background():
    assert set(target_of([], [])[:, 0]) == {BACKGROUND}


def written_out(target, outputs):
    """Section 2.2, one image after the other."""
    total, count = 0.0, max(1, (target[..., 0] >= 0).sum())
    for known, given in zip(target, outputs.astype("float64"), strict=True):
        is_object = known[:, 0] >= 0
        logits, codes = given[:, :3], given[:, 3:]
        entropies = (
            np.log(np.exp(logits).sum(axis=1)) - logits[range(len(logits)), np.maximum(known[:, 0], 0).astype(int)]
        )
        negatives = np.sort(entropies[known[:, 0] == BACKGROUND])[::-1][: 3 * is_object.sum()]
        (x1, y1, x2, y2), (a1, b1, a2, b2) = known[:, 1:].T, ssd.all_places(ENTRY).T
        wanted = [10 * (x1 + x2 - a1 - a2) / 2 / (a2 - a1), 10 * (y1 + y2 - b1 - b2) / 2 / (b2 - b1)]
        wanted += [5 * np.log((x2 - x1) / (a2 - a1)), 5 * np.log((y2 - y1) / (b2 - b1))]
        size = np.abs(codes - np.stack(wanted, axis=1))[is_object]
        total += entropies[is_object].sum() + negatives.sum() + np.where(size < 1, size**2 / 2, size - 0.5).sum()
    return total / count


def test_the_loss_is_that_of_the_paper():
    target = np.stack([target_of(), target_of(BOXES[:1], [2], [[64, 64, 200, 200]]), target_of([], [])])
    outputs = np.random.default_rng(0).normal(0, 2, (3, 8732, 7)).astype("float32")
    assert loss(target, outputs) == pytest.approx(written_out(target, outputs), rel=1e-5)


def test_the_loss_is_0_where_the_outputs_are_right_and_a_crowd_does_not_count():
    target = target_of(crowds=[[64, 64, 100, 200]])
    codes = encode_offsets(*map(keras.ops.convert_to_tensor, (target[:, 1:], ssd.all_places(ENTRY))), ssd.CODE_SCALES)
    labels = np.maximum(target[:, 0], 0)
    outputs = np.where(labels[:, None] == np.arange(3), 12.0, -12.0)
    outputs = np.concatenate([outputs, keras.ops.convert_to_numpy(codes)], axis=-1)[None]
    assert loss(target[None], outputs) < 1e-3
    outputs[0, target[:, 0] == IGNORED, :3] = [-12, 12, -12]
    assert (target[:, 0] == IGNORED).any()
    assert loss(target[None], outputs) < 1e-3
    outputs[0, np.flatnonzero(target[:, 0] == BACKGROUND)[:5], :3] = [-12, 12, -12]
    assert loss(target[None], outputs) == pytest.approx(5 * 24 / (target[:, 0] >= 0).sum(), rel=1e-3)
