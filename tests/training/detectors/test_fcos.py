"""FCOS: which places stand for which object, by hand, and what its loss is least for."""

import keras
import numpy as np
import pytest

from tests.training.small_tasks import detector
from zoo import architectures
from zoo.layers.box_geometry import encode_distances
from zoo.training.detectors import fcos
from zoo.training.detectors.places import pyramid_places

SIDE = 128  # maps of 16, 8, 4, 2 and 1 places per side
ENTRY = detector("fcos", SIDE, num_classes=2)


def standing(boxes, classes=None, crowds=()):
    """The target, and for each map the row and column of the places that stand for an object."""
    boxes = np.array(boxes, "float64").reshape(-1, 4)
    target = fcos.targets(boxes, np.array(classes or [0] * len(boxes), int), crowds, ENTRY)
    found, start = [], 0
    for level in pyramid_places(ENTRY):
        side = int(len(level) ** 0.5)
        places = np.flatnonzero(target[start : start + len(level), 0] >= 0)
        found.append([divmod(int(place), side) for place in places])
        start += len(level)
    return target, found


def test_a_small_object_is_of_the_first_map_near_its_middle():
    _, found = standing([(30, 30, 54, 54)])  # 24 pixels: every side is nearer than 64
    assert found[0] == [(row, column) for row in (4, 5, 6) for column in (4, 5, 6)]  # within 12 of 42, at 32, 40, 48
    assert not any(found[1:])


def test_a_large_object_is_of_the_map_of_its_reach():
    target, found = standing([(0, 0, 128, 128)])  # its sides are 64 from the middle: beyond the first map's reach
    assert not found[0]
    assert found[1]
    assert (target[:, 1:][target[:, 0] >= 0] == [0, 0, 128, 128]).all()


def test_of_several_objects_the_smallest():
    target, _ = standing([(16, 16, 64, 64), (32, 32, 48, 48)], [0, 1])
    inside = target[target[:, 0] == 1]
    assert (inside[:, 1:] == [32, 32, 48, 48]).all()
    assert len(inside) > 0


def test_an_image_without_objects_is_background():
    target, _ = standing([])
    assert set(target[:, 0]) == {-1}


def outputs_of(target, confidence=9.0):
    """What a network would give that is right about all."""
    places = np.concatenate(pyramid_places(ENTRY))
    distances = encode_distances(*map(keras.ops.convert_to_tensor, (target[..., 1:], places)))
    distances = keras.ops.convert_to_numpy(distances)
    logits = np.where(target[..., :1] == np.arange(2), confidence, -confidence)
    ones = np.maximum(distances, 1e-3)
    across, down = (
        np.minimum(ones[..., i], ones[..., i + 2]) / np.maximum(ones[..., i], ones[..., i + 2]) for i in (0, 1)
    )
    centre = np.clip(np.sqrt(across * down), 1e-6, 1 - 1e-6)
    return np.concatenate([logits, distances, np.log(centre / (1 - centre))[..., None]], axis=-1).astype("float32")


def loss(target, outputs):
    return float(fcos.loss(ENTRY)(*map(keras.ops.convert_to_tensor, (target, outputs))))


def test_the_loss_is_least_where_the_outputs_are_right():
    target, _ = standing([(30, 30, 54, 54), (70, 20, 110, 90)], [0, 1])
    target, outputs = target[None], outputs_of(target)[None]
    right = loss(target, outputs)
    assert 0 < right < 0.7  # of the centre-ness alone, which lies between
    for column in range(outputs.shape[-1]):
        changed = outputs.copy()
        changed[..., column] += np.where(target[..., 0] >= 0, 0.3 if column < 6 else 1.0, 0)
        if column >= 2:
            assert loss(target, changed) > right, column
    confused = outputs.copy()
    confused[..., :2] = confused[..., 1::-1]
    assert loss(target, confused) > right + 1


def test_what_is_left_out_changes_nothing():
    target, _ = standing([(30, 30, 54, 54)], crowds=[(64, 64, 128, 128)])
    outputs = outputs_of(target)[None]
    before = loss(target[None], outputs)
    outputs[0, target[:, 0] == -2] = 5.0
    assert loss(target[None], outputs) == pytest.approx(before, rel=1e-6)
    outputs[0, target[:, 0] == -1] = 5.0
    assert loss(target[None], outputs) > before + 1


def test_every_side_of_a_new_detector_can_be_learned():
    """Where a ReLU gives 0 before training, that side of a box stays in the middle."""
    keras.utils.set_random_seed(0)
    model = architectures.build(ENTRY, input_shape=(SIDE, SIDE, 3))
    images = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE, 3), "uint8")
    assert keras.ops.convert_to_numpy(model(images)["bbox_regression"]).min() > 0.1
