"""A view shows the boxes where the pixels are: one view of an image and its boxes."""

import numpy as np
import pytest

from zoo.catalogue.entry import Input
from zoo.imaging.planes import Planes
from zoo.training.box_views import SCALES, box_view

BOX = (30, 20, 70, 80)


def image(size=(120, 100)):
    """Black, and a white rectangle."""
    pixels = np.zeros((size[1], size[0], 3), "uint8")
    pixels[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
    return pixels


def around(pixels):
    """The box around what is white."""
    rows, columns = np.nonzero(pixels.min(axis=-1) > 160)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) if len(rows) else None


@pytest.mark.parametrize("mode", ["letterbox", "squash"])
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("kind", SCALES)
@pytest.mark.parametrize("size", [(120, 100), (90, 160)])
def test_the_box_is_around_the_pixels_of_its_object(mode, antialias, kind, size):
    spec = Input(size=96, crop_mode=mode, interpolation="bilinear", antialias=antialias)
    seen_whole = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        pixels, boxes, share = box_view(Planes(image(size)), np.array([BOX], float), spec, SCALES[kind], generator)
        assert pixels.shape == (96, 96, 3)
        found = around(pixels)
        if share[0] > 0.1:
            np.testing.assert_allclose(boxes[0], found, atol=1.2)
        seen_whole += share[0] > 0.999
    assert seen_whole > 5


def test_the_share_is_what_is_seen_of_the_area():
    spec = Input(size=50, crop_mode="letterbox")
    boxes = np.array([[0.0, 0, 100, 100], [40, 40, 60, 60]])
    shares = []
    for seed in range(20):
        _, moved, share = box_view(Planes(image((100, 100))), boxes, spec, (2, 2), np.random.default_rng(seed))
        shares.append(share)
        np.testing.assert_allclose(moved[0], [0, 0, 50, 50])  # twice as large: a quarter of the image fills the view
    np.testing.assert_allclose([share[0] for share in shares], 0.25)
    assert min(share[1] for share in shares) < 1


def test_the_whole_image_at_its_own_scale_is_only_moved_or_mirrored():
    spec, box = Input(size=120, crop_mode="letterbox"), np.array([BOX], float)
    views = [box_view(Planes(image()), box, spec, (1, 1), np.random.default_rng(seed)) for seed in range(20)]
    lefts = {float(boxes[0, 0]) for _, boxes, _ in views}
    assert lefts == {30, 50}  # as it is, and 120 - 70
    assert all(boxes[0, 2] - boxes[0, 0] == 40 and boxes[0, 3] - boxes[0, 1] == 60 for _, boxes, _ in views)


def test_an_image_without_boxes_and_one_of_another_order_of_colours():
    spec = Input(size=64, crop_mode="letterbox", channels="bgr")
    red = np.zeros((40, 60, 3), "uint8")
    red[..., 0] = 200
    pixels, boxes, share = box_view(Planes(red), np.zeros((0, 4)), spec, (1, 1), np.random.default_rng(0))
    assert (boxes.shape, share.shape) == ((0, 4), (0,))
    assert pixels[..., 2].max() == 200
    assert pixels[..., 0].max() == 114  # the grey around it


def test_the_same_generator_gives_the_same_view():
    spec, box = Input(size=64, crop_mode="letterbox"), np.array([BOX], float)
    one, other = (box_view(Planes(image()), box, spec, (0.5, 2), np.random.default_rng(3)) for _ in range(2))
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)
