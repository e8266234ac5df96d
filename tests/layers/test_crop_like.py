import keras
import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import CropLike, CropLike3D

SHAPES = lambda: [promises.numbers(0, (2, 7, 6, 3)), promises.numbers(1, (2, 4, 5, 2))]  # noqa: E731
VOLUMES = lambda: [promises.numbers(0, (2, 4, 7, 6, 3)), promises.numbers(1, (2, 3, 4, 5, 2))]  # noqa: E731
CASES = {
    "centre": (lambda: CropLike(), SHAPES),
    "offset": (lambda: CropLike((2, 1)), SHAPES),
    "volumes": (lambda: CropLike3D(0), VOLUMES),
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


def test_the_centre_is_cropped_by_default_and_an_offset_counts_from_the_corner():
    image, like = SHAPES()
    promises.assert_same(promises.run(CropLike(), [image, like]), [image[:, 1:5, 0:5]], tolerance=0)
    promises.assert_same(promises.run(CropLike((2, 1)), [image, like]), [image[:, 2:6, 1:6]], tolerance=0)


def test_a_volume_is_cropped_along_its_depth_too():
    volume, like = VOLUMES()
    promises.assert_same(promises.run(CropLike3D(), [volume, like]), [volume[:, 0:3, 1:5, 0:5]], tolerance=0)
    promises.assert_same(promises.run(CropLike3D((1, 2, 1)), [volume, like]), [volume[:, 1:4, 2:6, 1:6]], tolerance=0)


@pytest.mark.parametrize(("offset", "like"), [(None, (8, 6)), (3, (5, 2))])
def test_a_crop_that_does_not_fit_is_refused(offset, like):
    with pytest.raises(
        InputError, match=r"CropLike: a crop of \(., .\) at offset=.* does not fit into \(7, 6\)\. Received"
    ):
        CropLike(offset)([keras.Input((7, 6, 3)), keras.Input((*like, 3))])


def test_other_inputs_than_two_images_are_refused():
    with pytest.raises(InputError, match=r"CropLike: the inputs must be \[images, like\], each with 4 axes. Received"):
        CropLike()([np.zeros((1, 7, 6, 3), "float32"), np.zeros((1, 7, 6), "float32")])
    with pytest.raises(
        InputError, match=r"CropLike: `offset` must be an int or 2 ints of at least 0. Received: offset=-1"
    ):
        CropLike(-1)
