"""YOLOX: which places stand for which object, by hand, and what its loss is least for."""

import keras
import numpy as np
import pytest

from tests.training.small_tasks import detector, entry
from zoo import architectures
from zoo.architectures.yolox import STRIDES
from zoo.catalogue.entry import Input
from zoo.layers.box_geometry import encode_offsets
from zoo.training.detectors import BACKGROUND, IGNORED, find_detector, yolox
from zoo.weights.filling import abstract

ENTRY = entry("object-detection", "yolox.yolox", num_classes=2, input=Input(size=64, crop_mode="letterbox"))
ANCHORS = yolox.all_places(ENTRY)
SIDES = ANCHORS[:, 2:] - ANCHORS[:, :2]
CENTERS = ANCHORS[:, 2:]
BOXES = np.array([[8.0, 8, 24, 24], [36, 36, 60, 60]])
TARGET = yolox.targets(BOXES, np.array([0, 1]), (), ENTRY)[None]


def tensors(*arrays):
    return [keras.ops.convert_to_tensor(np.asarray(array, "float32")) for array in arrays]


def outputs(boxes, logits, objectness):
    """Raw outputs that are decoded to these boxes, `(places, 4)`."""
    codes = keras.ops.convert_to_numpy(encode_offsets(*tensors(boxes, ANCHORS)))
    return np.concatenate([logits, codes, objectness[:, None]], axis=-1)[None]


def assigned(boxes, logits, objectness, target=TARGET):
    found = yolox.assigned(*tensors(target, boxes[None], logits[None], objectness[None], CENTERS, SIDES[:, 0]))
    return [keras.ops.convert_to_numpy(each)[0] for each in found]


def right():
    """What a network would give that is right at every place that is near an object."""
    near = np.abs(CENTERS[:, None] - (BOXES[:, :2] + BOXES[:, 2:])[None] / 2).max(axis=-1) < 1.5 * SIDES[:, :1]
    row = np.where(near[:, 1], 1, 0)
    logits = np.where(np.arange(2) == row[:, None], 6.0, -6.0)
    return BOXES[row], logits, np.where(near.any(axis=1), 6.0, -6.0), row


def test_there_are_as_many_places_as_the_network_has():
    assert len(ANCHORS) == sum((64 // stride) ** 2 for stride in STRIDES)
    assert CENTERS[0].tolist() == [4, 4]
    assert CENTERS[1].tolist() == [12, 4]


@pytest.mark.parametrize("pad_to", [1, 64])
def test_above_another_encoder_too(pad_to):
    described = detector("yolox", 96, pad_to=pad_to)
    with abstract():
        model = architectures.build(described, input_shape=(96, 96, 3))
    places = yolox.all_places(described)
    assert model.output["cls_logits"].shape[1] == len(places)
    assert find_detector(described) is yolox
    assert len(places) == sum(((96 if pad_to == 1 else 128) // stride) ** 2 for stride in STRIDES)
    assert (places[-1, 2:] - places[-1, :2]).tolist() == [32, 32]


def test_a_row_per_object_the_largest_first_and_crowds_behind():
    target = yolox.targets(BOXES, np.array([0, 1]), [[0, 0, 5, 5]], ENTRY)
    assert target.shape == (yolox.MOST, 5)
    assert target[:4, 0].tolist() == [1, 0, IGNORED, BACKGROUND]
    np.testing.assert_array_equal(target[0, 1:], BOXES[1])
    many = np.tile([[0.0, 0, 4, 4]], (yolox.MOST + 5, 1))
    assert (yolox.targets(many, np.zeros(len(many), int), (), ENTRY)[:, 0] == 0).all()


def test_places_stand_for_the_object_near_which_they_lie_as_many_as_overlap_it():
    boxes, logits, objectness, row = right()
    is_object, found = assigned(boxes, logits, objectness)
    assert (TARGET[0, found[is_object > 0], 0] == row[is_object > 0]).all()
    for number in range(2):
        near = np.abs(CENTERS - (BOXES[number, :2] + BOXES[number, 2:]) / 2).max(axis=-1) < 1.5 * SIDES[:, 0]
        chosen = (is_object > 0) & (TARGET[0, found, 0] == number)
        assert not (chosen & ~near).any()
        assert chosen.sum() >= min(yolox.CANDIDATES, near.sum()) - 3  # those near both are the other's


def test_an_object_that_nothing_overlaps_has_the_place_that_costs_least():
    boxes = np.tile([[60.0, 0, 64, 4]], (len(ANCHORS), 1))
    logits, objectness = np.zeros((len(ANCHORS), 2)), np.full(len(ANCHORS), -4.0)
    target = yolox.targets(BOXES[:1], np.array([0]), (), ENTRY)[None]
    near = np.flatnonzero(np.abs(CENTERS - 16).max(axis=-1) < 1.5 * SIDES[:, 0])
    objectness[near[2]] = -3
    is_object, _ = assigned(boxes, logits, objectness, target)
    assert np.flatnonzero(is_object).tolist() == [near[2]]


def test_an_image_without_objects_has_none():
    boxes, logits, objectness, _ = right()
    empty = yolox.targets(np.zeros((0, 4)), np.zeros(0, int), (), ENTRY)[None]
    is_object, _ = assigned(boxes, logits, objectness, empty)
    assert is_object.sum() == 0
    value = float(yolox.loss(ENTRY)(*tensors(empty, outputs(boxes, logits, objectness))))
    assert np.isfinite(value)


def test_the_loss_grows_with_what_is_wrong():
    boxes, logits, objectness, _ = right()
    loss = yolox.loss(ENTRY)
    least = float(loss(*tensors(TARGET, outputs(boxes, logits, objectness))))
    assert float(loss(*tensors(TARGET, outputs(boxes + 3, logits, objectness)))) > least + 1
    assert float(loss(*tensors(TARGET, outputs(boxes, -logits, objectness)))) > least + 1
    assert float(loss(*tensors(TARGET, outputs(boxes, logits, -objectness)))) > least + 1


def test_places_in_a_crowd_do_not_count_as_background():
    boxes, logits, objectness, _ = right()
    crowd = yolox.targets(BOXES, np.array([0, 1]), [[40, 0, 64, 20]], ENTRY)[None]
    inside = ((CENTERS > [40, 0]) & (CENTERS < [64, 20])).all(axis=-1)
    louder = np.where(inside & (objectness < 0), 5.0, objectness)
    loss = yolox.loss(ENTRY)
    values = [float(loss(*tensors(crowd, outputs(boxes, logits, each)))) for each in (objectness, louder)]
    assert values[0] == pytest.approx(values[1], rel=1e-5)
    assert float(loss(*tensors(TARGET, outputs(boxes, logits, louder)))) > values[0] + 0.5
