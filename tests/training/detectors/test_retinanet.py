"""RetinaNet: which boxes stand for an object, and what its loss is least for."""

import keras
import numpy as np
import pytest

from tests.training.small_tasks import detector
from zoo.layers.box_geometry import encode_offsets
from zoo.training.detectors import retinanet
from zoo.training.detectors.places import overlaps, pyramid_places

ENTRY = detector("retinanet", 128, num_classes=2)
PLACES = np.concatenate(pyramid_places(ENTRY))
BOXES = np.array([[30.0, 30, 62, 62], [64, 10, 120, 100]])


@pytest.fixture(scope="module")
def target():
    return retinanet.targets(BOXES, np.array([0, 1]), (), ENTRY)


def test_boxes_that_overlap_by_half_stand_for_it_and_those_between_are_left_out(target):
    best = overlaps(PLACES, BOXES)
    for number in range(2):
        assert (target[best[:, number] >= 0.5, 0] == number).all()
    assert (target[best.max(axis=1) < 0.4, 0] == -1).all()
    between = (best.max(axis=1) >= 0.4) & (best.max(axis=1) < 0.5)
    assert between.any()
    assert (target[between, 0] == -2).all()


def test_even_an_object_smaller_than_all_boxes_has_one():
    tiny = np.array([[60.0, 60, 66, 66]])
    found = retinanet.targets(tiny, np.array([1]), (), ENTRY)
    assert (found[:, 0] == 1).any()
    assert (found[found[:, 0] == 1, 1:] == tiny).all()


def right(target):
    logits = np.where(target[:, :1] == np.arange(2), 9.0, -9.0)
    offsets = encode_offsets(*map(keras.ops.convert_to_tensor, (target[:, 1:], PLACES)))
    offsets = keras.ops.convert_to_numpy(offsets)
    return np.concatenate([logits, offsets], axis=-1).astype("float32")[None]


def loss(target, outputs):
    return float(retinanet.loss(ENTRY)(*map(keras.ops.convert_to_tensor, (target[None], outputs))))


def test_the_loss_is_0_where_the_outputs_are_right_and_grows_with_each(target):
    outputs = right(target)
    assert loss(target, outputs) < 1e-4
    for column in range(2, 6):
        changed = outputs.copy()
        changed[..., column] += 1
        assert loss(target, changed) == pytest.approx(1 - 0.5 / 9, rel=1e-3)
    outputs[0, target[:, 0] == -2, :2] = 9
    assert loss(target, outputs) < 1e-4


def test_before_training_no_place_weighs_much(target):
    """What the logits begin with makes the many places of the background a small part of the loss."""
    outputs = right(target)
    outputs[..., :2] = -np.log(99)
    objects = (target[:, 0] >= 0).sum()
    of_objects = 0.25 * 0.99**2 * np.log(100) * objects
    assert loss(target, outputs) == pytest.approx(of_objects / objects, rel=0.2)
