"""Batches that are changed and mixed: the same for the same seed, and targets that fit what is seen."""

import keras
import numpy as np
import pytest

from zoo.training.mixing import Mixing, accuracy, soft_cross_entropy

NOTHING = {"augment": None, "mixup": 0.0, "cutmix": 0.0}
IMAGES = np.repeat([0, 80, 160, 240], 32 * 32 * 3).reshape(4, 32, 32, 3).astype("uint8")
CLASSES = np.arange(4)


def test_without_anything_a_batch_is_as_it_was():
    images, targets = Mixing(NOTHING, 4)(IMAGES, CLASSES, [0])
    assert images is IMAGES
    assert targets is CLASSES


@pytest.mark.parametrize("options", [{"mixup": 0.8}, {"cutmix": 1.0}], ids=["mixup", "cutmix"])
def test_targets_are_the_shares_of_what_is_seen(options):
    """The class of an image says how bright it is, so the mean of a mixed one says its shares."""
    images, targets = Mixing({**NOTHING, **options}, 4)(IMAGES, CLASSES, [3])
    assert (images.shape, targets.shape) == (IMAGES.shape, (4, 4))
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(images.mean(axis=(1, 2, 3)), targets @ [0, 80, 160, 240], atol=8)
    assert (targets.max(axis=1) < 0.999).any()


@pytest.mark.parametrize(
    "options",
    [{"augment": "strong"}, {"mixup": 0.8, "cutmix": 1.0}, {"augment": keras.layers.RandomBrightness(0.5)}],
    ids=["strong", "mixed", "layer"],
)
def test_the_same_seed_gives_the_same_batch_whoever_asks(options):
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), "uint8")
    one, other = Mixing({**NOTHING, **options}, 4), Mixing({**NOTHING, **options}, 4)
    other(images, CLASSES, [9, 9])
    seen = [mixing(images, CLASSES, [0, 1, 2]) for mixing in (one, other, one)]
    for again in seen[1:]:
        np.testing.assert_array_equal(again[0], seen[0][0])
        np.testing.assert_array_equal(again[1], seen[0][1])
    assert not np.array_equal(one(images, CLASSES, [0, 1, 3])[0], seen[0][0])
    assert not np.array_equal(seen[0][0], images)
    assert seen[0][0].min() >= 0
    assert seen[0][0].max() <= 255


def test_both_mixers_have_their_turn():
    mixing = Mixing({**NOTHING, "mixup": 0.8, "cutmix": 1.0}, 4)
    images = [mixing(IMAGES, CLASSES, [seed])[0] for seed in range(8)]
    flat = [bool(np.ptp(image, axis=(1, 2)).max() < 1) for image in images]  # MixUp of flat images is flat
    assert any(flat)
    assert not all(flat)


def test_loss_and_accuracy_take_classes_and_shares():
    logits = np.array([[4.0, 0.0, 0.0], [0.0, 3.0, 1.0]], "float32")
    classes, shares = np.array([0, 2]), np.eye(3, dtype="float32")[[0, 2]]
    for smoothing in (0.0, 0.1):
        loss = soft_cross_entropy(smoothing)
        expected = keras.losses.categorical_crossentropy(shares, logits, from_logits=True, label_smoothing=smoothing)
        np.testing.assert_allclose(loss(classes, logits), expected, rtol=1e-6)
        np.testing.assert_allclose(loss(shares, logits), expected, rtol=1e-6)
    assert keras.ops.convert_to_numpy(accuracy(classes, logits)).tolist() == [1, 0]
    assert keras.ops.convert_to_numpy(accuracy(shares, logits)).tolist() == [1, 0]
