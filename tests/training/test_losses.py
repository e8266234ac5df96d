"""Losses of segmentation by name, by hand."""

import keras
import numpy as np
import pytest

import zoo
from zoo.training.losses import LOSSES, segmentation_loss

TARGET = np.array([[[0, 1, -1]]])
LOGITS = np.array([[[[0, 0], [np.log(3), 0], [5, 5]]]], "float32")  # class 0 at a half, class 1 at a quarter
CROSS_ENTROPY = np.log([2, 4])
FOCAL = CROSS_ENTROPY * np.array([1 / 2, 3 / 4]) ** 2
DICE = np.mean([1 - 2 * 0.5 / (1.25 + 1), 1 - 2 * 0.25 / (0.75 + 1)])


def value(name, *arguments, **options):
    return float(segmentation_loss(name, **options)(*arguments))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cross-entropy", CROSS_ENTROPY.mean()),
        ("focal", FOCAL.mean()),
        ("dice", DICE),
        ("cross-entropy+dice", CROSS_ENTROPY.mean() + DICE),
        ("focal+dice", FOCAL.mean() + DICE),
    ],
)
def test_a_loss_is_that_of_the_known_pixels(name, expected):
    assert value(name, TARGET, LOGITS) == pytest.approx(expected, rel=1e-5)
    other = LOGITS.copy()
    other[0, 0, 2] = [-7, 9]
    assert value(name, TARGET, other) == value(name, TARGET, LOGITS)


@pytest.mark.parametrize(("name", "each"), [("cross-entropy", CROSS_ENTROPY), ("focal", FOCAL)])
def test_the_loss_of_a_class_grows_with_its_weight(name, each):
    weights = np.array([1, 3], "float32")
    assert value(name, TARGET, LOGITS, weights=weights) == pytest.approx((each[0] + 3 * each[1]) / 4, rel=1e-5)


@pytest.mark.parametrize("name", [*LOSSES, "+".join(LOSSES)])
def test_unknown_pixels_give_a_number_and_no_gradient(name):
    assert value(name, np.full((1, 2, 2), -1), np.ones((1, 2, 2, 3), "float32")) == 0


@pytest.mark.parametrize("name", [*LOSSES])
def test_a_single_logit_is_that_of_class_1_against_0_and_a_smaller_map_is_enlarged(name):
    target = np.array([[[0, 1], [1, 0]]])
    single, both = np.full((1, 1, 1, 1), 2.0, "float32"), np.float32([[[[0, 2]]]]).repeat(2, 1).repeat(2, 2)
    assert value(name, target, single) == pytest.approx(value(name, target, both), rel=1e-6)


def test_a_class_that_does_not_occur_does_not_count_for_dice():
    logits = np.concatenate([LOGITS, np.full((1, 1, 3, 1), -50, "float32")], axis=-1)
    assert value("dice", TARGET, logits) == pytest.approx(DICE, rel=1e-5)


@pytest.mark.parametrize("name", ["jaccard", "", "dice+", "dice+dice", "cross_entropy", None, 3])
def test_a_loss_that_does_not_exist_is_one_sentence(name):
    with pytest.raises(zoo.InputError, match=r"^loss=.* Expected cross-entropy, dice, focal"):
        segmentation_loss(name)


def test_every_loss_trains():
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).uniform(0, 1, (4, 8, 8, 1)).astype("float32")
    masks = (images[..., 0] > 0.5).astype("int32")
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 1)])
    model.compile("sgd", segmentation_loss("+".join(LOSSES)))
    history = model.fit(images, masks, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
