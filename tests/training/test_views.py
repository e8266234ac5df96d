"""Views: an image and its target are cropped and mirrored together; a random view shows enough of an image."""

import numpy as np
import pytest
from PIL import Image

from tests.training.small_tasks import depth, inpainting, segmentation, super_resolution
from zoo.catalogue.entry import Input
from zoo.training.trainers import find_trainer
from zoo.training.views import random_box, random_view, recoloured, same_view, scaled_view

HEIGHT, WIDTH = 24, 40
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
RAMP = np.stack([4 * COLUMNS, 4 * ROWS, 0 * ROWS], axis=-1).astype("uint8")  # where a pixel was can be read from it
METRES = (1 + ROWS * WIDTH + COLUMNS).astype("float32")


def compared_segmentation(image, classes):
    np.testing.assert_array_equal(image[..., 0] // 4, classes)


def compared_depth(inputs, target):
    known = inputs["mask"] > 0
    assert 0 < known.mean() < 1
    np.testing.assert_array_equal(inputs["image"][known], target[known])


def compared_inpainting(inputs, target):
    np.testing.assert_array_equal(inputs["image"], target * inputs["mask"])


def compared_super_resolution(small, large):
    size = (small.shape[1], small.shape[0])
    reduced = Image.fromarray(large.astype("uint8")).resize(size, Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(np.asarray(reduced), small)


def where(target):
    """The corners of a view: column and row of its upper left and lower right pixels."""
    if target.ndim == 2:  # classes, which are columns
        return target[0, 0], 0, target[-1, -1], 0
    if target.shape[-1] == 1:
        return *np.divmod(target[0, 0, 0] - 1, WIDTH)[::-1], *np.divmod(target[-1, -1, 0] - 1, WIDTH)[::-1]
    return *target[0, 0, :2] / 4, *target[-1, -1, :2] / 4


SPATIAL = {
    "semantic-segmentation": (segmentation, ([RAMP], [COLUMNS]), (12, 16, 3), compared_segmentation),
    "depth-completion": (depth, ([METRES * (COLUMNS % 3 > 0)], [METRES]), (12, 16, 1), compared_depth),
    "inpainting": (inpainting, [RAMP], (12, 16, 3), compared_inpainting),
    "super-resolution": (super_resolution, [RAMP], (6, 8, 3), compared_super_resolution),
}


@pytest.mark.parametrize("task", SPATIAL)
def test_a_generator_gives_the_same_view_of_both(task):
    case, data, shape, compare = SPATIAL[task]
    entry = case()[0].model_copy(update={"num_classes": WIDTH, "labels": None})
    trainer = find_trainer(task)
    item = trainer.find(data, "train", entry, None).items[0]
    views = [trainer.read(item, entry, shape, np.random.default_rng(seed)) for seed in range(12)]
    for inputs, target in views:
        compare(inputs, target)
        assert target.shape[:2] == (12, 16)
    corners = {where(target) for _, target in views}
    assert len(corners) > 6
    assert {abs(left - right) for left, _, right, _ in corners} == {15}
    assert {left < right for left, _, right, _ in corners} == {True, False}
    middle = trainer.read(item, entry, shape, None)
    compare(*middle)
    assert where(middle[1])[0] == 12
    whole = trainer.read(item, entry, None, None)
    compare(*whole)
    assert whole[1].shape[:2] == (HEIGHT, WIDTH)


def test_views_of_different_sizes_are_not_views_of_one_thing():
    with pytest.raises(ValueError, match=r"the sizes \[\(2, 3\), \(2, 4\)\]"):
        same_view([np.zeros((2, 3)), np.zeros((2, 4, 3))], (1, 1), None)


def test_what_is_smaller_than_the_view_stays_whole():
    [view] = same_view([RAMP], (30, 8), None)
    np.testing.assert_array_equal(view, RAMP[:, 16:24])


def test_a_random_view_shows_half_of_the_image_or_more():
    generator = np.random.default_rng(0)
    shares, aspects, corners = [], [], set()
    for _ in range(300):
        left, top, right, bottom = random_box(300, 400, generator)
        assert 0 <= left < right <= 400
        assert 0 <= top < bottom <= 300
        shares.append((right - left) * (bottom - top) / 120_000)
        aspects.append((right - left) / (bottom - top) * 300 / 400)
        corners.add((left, top))
    assert 0.49 < min(shares) < 0.55
    assert 0.9 < max(shares) <= 1
    assert 0.73 < min(aspects) < 0.8
    assert 1.25 < max(aspects) < 1.36
    assert len(corners) > 200


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (7, 1), (2, 2)])
def test_a_random_view_of_a_tiny_image_is_not_empty(height, width):
    image, spec = np.full((height, width, 3), 9, "uint8"), Input()
    for seed in range(5):
        assert (random_view(image, spec, 4, 5, np.random.default_rng(seed)) == np.full((4, 5, 3), 9)).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_random_view_is_what_lies_in_its_box(channels):
    """Columns of a ramp rise evenly, so their range is the share of the image that is shown."""
    ramp = np.repeat(np.linspace(0, 250, 400)[None, :, None], 300, 0).repeat(3, -1).astype("uint8")
    spec = Input(mean=(0,) * channels, std=(1,) * channels)
    directions = set()
    for seed in range(12):
        view = random_view(ramp, spec, 32, 32, np.random.default_rng(seed))
        assert view.shape == (32, 32, channels)
        across = view[0, :, 0].astype(int)
        directions.add(bool(across[0] < across[-1]))
        assert 125 < abs(across[-1] - across[0]) <= 250
    assert directions == {True, False}


@pytest.mark.parametrize("seed", range(8))
def test_a_scaled_view_is_one_view_of_image_and_mask(seed):
    """An image whose red says the mask's class: in every view it still does, but for pixels between two classes."""
    mask = np.kron(np.arange(20).reshape(4, 5), np.ones((16, 16))).astype("int32")
    image = np.stack([mask * 10, 255 - mask * 10, np.zeros_like(mask)], axis=-1).astype("uint8")
    view, classes = scaled_view([image, mask], (32, 48), np.random.default_rng(seed))
    assert (view.shape, view.dtype, classes.shape, classes.dtype) == ((32, 48, 3), np.uint8, (32, 48), np.int32)
    agree = np.abs(view[..., 0].astype(int) - classes * 10) <= 1
    assert agree.mean() > 0.7
    assert len(np.unique(classes)) > 3


def test_scaled_views_reduce_and_enlarge():
    """Of a mask whose pixels are all different, a view shows as many as its scale lets it."""
    mask = np.arange(40 * 60).reshape(40, 60).astype("int32")
    generator = np.random.default_rng(0)
    counts = [len(np.unique(scaled_view([mask], (20, 30), generator)[0])) for _ in range(30)]
    assert min(counts) < 0.5 * 600
    assert max(counts) == 600
    again = np.random.default_rng(0)
    assert [len(np.unique(scaled_view([mask], (20, 30), again)[0])) for _ in range(3)] == counts[:3]


def test_another_light_changes_an_image_and_keeps_its_kind():
    image = np.random.default_rng(0).integers(60, 200, (12, 10, 3), "uint8")
    changed = [recoloured(image, np.random.default_rng(seed)) for seed in range(6)]
    assert all(one.dtype == np.uint8 and one.shape == image.shape for one in changed)
    assert len({float(one.mean()) for one in changed}) == 6
    assert max(abs(one.mean() / image.mean() - 1) for one in changed) > 0.1
    bands = np.dstack([image, image[..., :2]])
    assert recoloured(bands, np.random.default_rng(0)).shape == bands.shape
