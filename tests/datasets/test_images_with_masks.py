"""Images with masks: both layouts, void, and the sentences for folders that are laid out otherwise."""

import numpy as np
import pytest
from PIL import Image

from zoo.datasets.images_with_masks import VOID, Pair, find_pairs, read_pair
from zoo.errors import InputError

IMAGE = np.arange(24, dtype="uint8").reshape(2, 4, 3)
MASK = np.array([[0, 1, 2, 3], [10, 11, 200, 255]], "uint8")


def write(path, values, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".bmp"])
def test_masks_beside_the_images(tmp_path, suffix):
    for name in ("b", "a"):
        write(tmp_path / "val" / f"{name}{suffix}", IMAGE)
        write(tmp_path / "val" / f"{name}.png", MASK)
    (tmp_path / "val" / "notes.txt").write_text("not an image")
    folder = tmp_path / "val"
    assert find_pairs(tmp_path, "val") == [Pair(folder / f"{name}{suffix}", folder / f"{name}.png") for name in "ab"]


def test_masks_in_a_folder_of_their_own(tmp_path):
    image, mask = write(tmp_path / "test" / "a.png", IMAGE), write(tmp_path / "testannot" / "a.png", MASK)
    assert find_pairs(str(tmp_path), "test") == [(image, mask)]


@pytest.mark.parametrize("mode", ["L", "P", "I;16"])
def test_values_that_are_not_a_class_are_void(tmp_path, mode):
    mask = Image.fromarray(MASK)
    if mode == "P":
        mask.putpalette(list(range(256)) * 3)
    else:
        mask = mask.convert("I").convert(mode)
    mask.save(tmp_path / "a.png")
    image, classes = read_pair(Pair(write(tmp_path / "a.bmp", IMAGE), tmp_path / "a.png"), 11)
    np.testing.assert_array_equal(image, IMAGE)
    assert (image.dtype, classes.dtype) == (np.uint8, np.int32)
    np.testing.assert_array_equal(classes, [[0, 1, 2, 3], [10, VOID, VOID, VOID]])


def test_a_grey_image_becomes_rgb(tmp_path):
    pair = Pair(write(tmp_path / "a.bmp", IMAGE[..., 0]), write(tmp_path / "a.png", MASK))
    np.testing.assert_array_equal(read_pair(pair, 2)[0], IMAGE[..., :1].repeat(3, axis=-1))


def test_a_missing_folder_is_reported_what_to_put_where(tmp_path):
    with pytest.raises(InputError, match=r"no folder .*train.* Expected NAME.jpg .* or NAME.png .* in trainannot/"):
        find_pairs(tmp_path, "train")


def test_a_folder_without_images(tmp_path):
    write(tmp_path / "train" / "mask-only.png", MASK)
    with pytest.raises(InputError, match=r"train contains no image. Expected NAME.jpg with its mask"):
        find_pairs(tmp_path, "train")


def test_an_image_without_a_mask(tmp_path):
    write(tmp_path / "train" / "lonely.jpg", IMAGE)
    with pytest.raises(InputError, match=r"lonely.jpg has no mask: there is no .*lonely.png"):
        find_pairs(tmp_path, "train")


def test_a_mask_of_another_size(tmp_path):
    pair = Pair(write(tmp_path / "a.jpg", IMAGE), write(tmp_path / "a.png", MASK[:1]))
    with pytest.raises(InputError, match=r"a.png is 4 x 1 pixels, its image 4 x 2. .* without interpolation"):
        read_pair(pair, 11)


def test_a_mask_in_colours(tmp_path):
    pair = Pair(write(tmp_path / "a.jpg", IMAGE), write(tmp_path / "a.png", IMAGE))
    with pytest.raises(InputError, match=r"a.png has 3 channels. Expected one .* replace each colour by its class"):
        read_pair(pair, 11)


def test_a_file_that_is_not_an_image(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"a.jpg cannot be read"):
        read_pair(Pair(tmp_path / "a.jpg", write(tmp_path / "a.png", MASK)), 11)
