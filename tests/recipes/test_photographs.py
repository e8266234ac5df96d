"""The photographs of the recipes: which are held out, how they are made smaller, and how an enlargement is scored."""

import math

import numpy as np
import pytest
from PIL import Image

from recipes.photographs import HELD_OUT, TRAINING, bicubic, degrade, luma_psnr, luma_ssim, photograph


def test_no_held_out_photograph_is_trained_on():
    assert not set(HELD_OUT) & set(TRAINING)
    held_out = [np.asarray(photograph(name)) for name in HELD_OUT]
    for name in TRAINING:  # nor under another name
        assert not any(np.array_equal(np.asarray(photograph(name)), image) for image in held_out)


def test_degrading_crops_to_a_multiple_of_the_scale():
    large, small = degrade(Image.new("RGB", (23, 16)), 3)
    assert (large.size, small.size) == ((21, 15), (7, 5))
    assert bicubic(small, 3).size == large.size


def test_luma_psnr_of_a_known_difference():
    black = np.zeros((6, 6, 3))
    green = black.copy()
    green[2:4, 2:4, 1] = 255  # the inner 2x2 pixels: 128.553 of luma
    green[0, 0] = 255  # in the border, which does not count
    assert luma_psnr(green, black, border=2) == pytest.approx(20 * math.log10(255 / 128.553))
    assert luma_psnr(green, black, border=1) == pytest.approx(20 * math.log10(255 / 128.553 * 2))


def test_luma_ssim_of_equal_flat_and_shifted_images():
    black = np.zeros((20, 20, 3))
    noise = np.random.default_rng(0).integers(0, 256, black.shape)
    assert luma_ssim(noise, noise, border=2) == 1
    assert luma_ssim(noise, noise[::-1], border=2) < 0.2
    # Two flat images differ in their mean alone: 16 and 235 with the constant (0.01 * 255)² in the paper's formula.
    constant = (0.01 * 255) ** 2
    expected = (2 * 16 * 235 + constant) / (16**2 + 235**2 + constant)
    assert luma_ssim(black, black + 255, border=2) == pytest.approx(expected, abs=1e-5)
