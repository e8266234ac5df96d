"""Spoiled images: against values computed by hand."""

from statistics import NormalDist

import numpy as np
import pytest

from zoo.errors import InputError
from zoo.imaging.corruptions import CORRUPTIONS, FLIPPED, NOISE, PHOTONS, corrupted

GREY = np.full((100, 100, 3), 102.0)  # 0.4 of 255


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_each_gives_whole_numbers_of_the_range_and_the_same_each_time(name, channels):
    image = np.random.default_rng(0).integers(0, 256, (13, 17, channels)).astype("uint8")
    found = corrupted(image, name, 3)
    assert (found.shape, found.dtype) == (image.shape, np.float32)
    assert found.min() >= 0
    assert found.max() <= 255
    np.testing.assert_array_equal(found, np.round(found))
    np.testing.assert_array_equal(found, corrupted(image.astype("float32"), name, 3))
    assert not np.array_equal(found, image)
    is_random = name.endswith("noise")
    assert np.array_equal(found, corrupted(image, name, 4)) != is_random


def test_noise_has_its_strength():
    assert corrupted(GREY, "gaussian_noise", 0).std() / 255 == pytest.approx(NOISE, rel=0.05)
    assert corrupted(GREY, "shot_noise", 0).std() / 255 == pytest.approx((0.4 / PHOTONS) ** 0.5, rel=0.05)
    flipped = corrupted(GREY, "impulse_noise", 0)
    for value in (0, 255):
        assert (flipped == value).mean() == pytest.approx(FLIPPED / 2, rel=0.1)


def test_an_edge_is_spread_and_a_flat_image_stays():
    edge = np.zeros((41, 40, 1))
    edge[:, 20:] = 255
    expected = [255 * NormalDist(19.5, 3).cdf(column) for column in range(40)]
    np.testing.assert_allclose(corrupted(edge, "gaussian_blur", 0)[20, :, 0], expected, atol=3)
    for name in ("gaussian_blur", "pixelate", "jpeg", "contrast"):
        np.testing.assert_allclose(corrupted(GREY, name, 0), 102, atol=1)


def test_squares_of_the_size_that_the_resolution_leaves():
    image = np.arange(10, dtype="float64").repeat(10).reshape(10, 10, 1) * 25
    found = corrupted(image, "pixelate", 0)
    assert len(np.unique(found)) == 4


def test_brightness_keeps_hue_and_saturation_and_contrast_keeps_the_mean():
    image = np.array([[[102.0, 51.0, 0.0], [204.0, 0.0, 0.0], [0.0, 0.0, 0.0]]])
    # values 0.4, 0.8, 0 become 0.7, 1, 0.3
    np.testing.assert_allclose(
        corrupted(image, "brightness", 0)[0], [[178.5, 89.25, 0], [255, 0, 0], [76.5, 76.5, 76.5]], atol=0.5
    )
    two = np.array([[[50.0], [150.0]]])
    np.testing.assert_array_equal(corrupted(two, "contrast", 0)[0, :, 0], [90, 110])


def test_other_channels_are_refused():
    with pytest.raises(InputError, match="Expected one or three channels"):
        corrupted(np.zeros((4, 4, 6)), "contrast", 0)
