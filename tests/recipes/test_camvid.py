"""CamVid as the recipes see it: weights of the classes by hand, crops that fit their masks, and the measurement."""

import keras
import numpy as np
import pytest
from PIL import Image

from recipes import camvid
from zoo.datasets.images_with_masks import VOID

HEIGHT, WIDTH = 360, 480


def frame(seed=0):
    """An image of which the red channel is twenty times the class of each pixel, in blocks of 40 x 40; void is 11."""
    blocks = np.random.default_rng(seed).integers(12, size=(HEIGHT // 40, WIDTH // 40))
    classes = blocks.repeat(40, axis=0).repeat(40, axis=1).astype("int32")
    image = np.stack([20 * classes, np.zeros_like(classes), np.full_like(classes, 100)], axis=-1).astype("uint8")
    return image, np.where(classes == 11, VOID, classes)


def test_rare_classes_weigh_more_and_void_is_not_counted():
    masks = [np.array([[0, 0, 0, 1]]), np.array([[0, 2, 2, VOID]])]
    # Frequencies where they occur: 4 of 8 pixels, 1 of 4, 2 of 4; class 3 never occurs.
    expected = np.array([0.5 / 0.5, 0.5 / 0.25, 0.5 / 0.5, 0], "float32")
    np.testing.assert_allclose(camvid.class_weights(masks, 4), expected)


@pytest.mark.parametrize("label_stride", [1, 2])
def test_a_crop_and_its_classes_show_the_same_pixels(label_stride, monkeypatch):
    monkeypatch.setattr(camvid, "GAINS", (1.0, 1.0))
    monkeypatch.setattr(camvid, "TINTS", (1.0, 1.0))
    for seed in range(5):
        image, labels = camvid.crop(frame(seed), label_stride, np.random.default_rng(seed))
        assert image.shape == (*camvid.CROP, 3)
        assert labels.shape == tuple(side // label_stride for side in camvid.CROP)
        size = labels.shape[::-1]
        red = np.asarray(Image.fromarray(image[..., 0]).resize(size, Image.Resampling.BOX), "float32")
        seen = np.where(labels == VOID, 11, labels)
        assert np.mean(np.abs(red / 20 - seen) < 0.25) > 0.85  # but for the borders of the blocks


def test_crops_are_scaled_mirrored_and_lit_at_random():
    crops = [camvid.crop(frame(), 1, np.random.default_rng(seed))[0] for seed in range(8)]
    assert len({int(image[..., 2].max()) for image in crops}) > 4  # the blue channel was 100 everywhere
    assert all((image[..., 2] == image[0, 0, 2]).all() for image in crops)
    assert len({image.tobytes() for image in crops}) == 8


def test_a_frame_that_is_smaller_than_the_crop_is_enlarged():
    image, mask = frame()
    small, labels = camvid.crop((image[:100, :90], mask[:100, :90]), 2, np.random.default_rng(0))
    assert small.shape == (*camvid.CROP, 3)
    assert labels.shape == (camvid.CROP[0] // 2, camvid.CROP[1] // 2)


def test_an_epoch_sees_every_frame_once_and_is_the_same_for_the_same_seed():
    frames = [(np.full((360, 480, 3), 10 * index, "uint8"), np.full((360, 480), index, "int32")) for index in range(5)]
    images, labels = camvid.draw(frames, 2, np.random.default_rng(3))
    again, _ = camvid.draw(frames, 2, np.random.default_rng(3))
    assert sorted(labels[:, 0, 0]) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(images, again)


def test_the_measurement_is_at_the_full_size_of_the_target():
    """The 'network' says class 1 where the red channel is above 100, at half the size."""
    inputs = keras.Input((None, None, 3))
    half = keras.layers.AveragePooling2D(2)(inputs)
    red = keras.layers.Lambda(lambda x: x[..., :1])(half)
    model = keras.Model(inputs, keras.layers.Concatenate()([keras.layers.Rescaling(0.0, 100.0)(red), red]))
    image, target = np.zeros((8, 12, 3), "uint8"), np.zeros((8, 12), "int32")
    image[:, 6:, 0], target[:, 6:], target[0] = 200, 1, VOID
    target[1, :3] = 1  # what the network gets wrong
    scores = camvid.measure(model, [(image, target)])
    assert scores.global_accuracy == pytest.approx(100 * 81 / 84)
    assert scores.class_iou == pytest.approx((100 * 39 / 42, 100 * 42 / 45))
