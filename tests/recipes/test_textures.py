"""The patches of textures: where they come from, that test and training never overlap, and how they are shifted."""

import numpy as np
import pytest

from recipes.photographs import photograph
from recipes.textures import LABELS, PATCH, SCALES, SHIFTS, TEXTURES, WINDOW, planes, shifted, strips, windows


@pytest.mark.parametrize("name", LABELS)
def test_no_pixel_is_both_trained_and_tested_on(name):
    region = TEXTURES[name]
    left, top, right, bottom = region.box
    width, height = photograph(region.file).size
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    seen = np.zeros((height, width), int)
    for split in ("train", "test"):
        for box in strips(region.box, split):
            seen[box[1] : box[3], box[0] : box[2]] += 1
    inside = np.zeros_like(seen)
    inside[top:bottom, left:right] = 1
    np.testing.assert_array_equal(seen, inside)


@pytest.mark.parametrize("split", ["train", "test"])
def test_each_strip_at_each_scale_holds_a_window(split):
    for textures in planes(split):
        assert len(textures) == 2 * len(SCALES)
        assert min(min(plane.shape) for plane in textures) >= WINDOW
        assert {plane.dtype for plane in textures} == {np.dtype("uint8")}


def test_a_window_is_cut_from_its_texture():
    textures = [[np.full((50, 60), 10, "uint8")], [np.full((45, 39), 20, "uint8"), np.full((60, 60), 21, "uint8")]]
    pixels, labels = windows(textures, 50, np.random.default_rng(0))
    assert pixels.shape == (50, WINDOW, WINDOW)
    assert set(labels) == {0, 1}
    np.testing.assert_array_equal(pixels[labels == 0], 10)
    assert set(pixels[labels == 1].ravel()) == {20, 21}


def test_a_patch_may_lie_at_each_of_64_places():
    window = np.arange(WINDOW**2, dtype="int32").reshape(1, WINDOW, WINDOW)
    patches = shifted(np.repeat(window, 2000, axis=0), np.random.default_rng(0))
    assert patches.shape == (2000, PATCH, PATCH, 3)
    corners = patches[:, 0, 0, 0]
    assert set(corners) == {row * WINDOW + column for row in range(SHIFTS) for column in range(SHIFTS)}
    offsets = patches - corners[:, None, None, None]
    assert (offsets == offsets[0]).all()
