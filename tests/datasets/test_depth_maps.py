"""Depth maps are found in each layout and read in metres; what is missing or of another kind is an error."""

import re

import numpy as np
import pytest
from PIL import Image

from zoo.datasets import depth_maps
from zoo.errors import InputError

KITTI = "proj_depth/{}/image_02/0000000005.png"
SELECTED = "2011_09_26_drive_0002_sync_{}_0000000005_image_02.png"
LAYOUTS = {
    "ours": ("train", "train/sparse/3.png", "train/dense/3.png"),
    "kitti": ("val", f"val/drive_0001/{KITTI.format('velodyne_raw')}", f"val/drive_0001/{KITTI.format('groundtruth')}"),
    "selection": (
        "test",
        f"{depth_maps.SELECTION}/velodyne_raw/{SELECTED.format('velodyne_raw')}",
        f"{depth_maps.SELECTION}/groundtruth_depth/{SELECTED.format('groundtruth_depth')}",
    ),
}


def write(path, values, dtype="uint16"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(values, dtype)).save(path)


@pytest.mark.parametrize(("split", "sparse", "dense"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_pair_is_found_and_read_in_metres(tmp_path, split, sparse, dense):
    write(tmp_path / sparse, [[0, 512, 0]])
    write(tmp_path / dense, [[65535, 512, 384]])
    [pair] = depth_maps.find_pairs(tmp_path, split)
    assert pair == (tmp_path / sparse, tmp_path / dense)
    measured, target = depth_maps.read_pair(pair)
    assert measured.dtype == target.dtype == np.float32
    np.testing.assert_array_equal(measured, [[0, 2, 0]])
    np.testing.assert_array_equal(target, [[65535 / 256, 2, 1.5]])


def test_pairs_come_in_the_order_of_their_names(tmp_path):
    for name in ("2.png", "1.png", "10.png"):
        write(tmp_path / "test/sparse" / name, [[1]])
        write(tmp_path / "test/dense" / name, [[1]])
    names = [pair.sparse.name for pair in depth_maps.find_pairs(tmp_path, "test")]
    assert names == ["1.png", "10.png", "2.png"]


def test_a_missing_folder_gets_the_sentence_that_says_what_to_put_where(tmp_path):
    with pytest.raises(InputError, match=re.escape(f"There is no folder {tmp_path / 'train'}. Expected train/sparse/")):
        depth_maps.find_pairs(tmp_path, "train")
    (tmp_path / "train").mkdir()
    with pytest.raises(InputError, match=r"contains no depth map\. Expected .*train/DRIVE/proj_depth/velodyne_raw"):
        depth_maps.find_pairs(tmp_path, "train")


def test_a_map_without_target_is_refused(tmp_path):
    write(tmp_path / "train/sparse/7.png", [[1]])
    with pytest.raises(InputError, match=re.escape(f"there is no {tmp_path / 'train/dense/7.png'}")):
        depth_maps.find_pairs(tmp_path, "train")


def test_pixels_of_8_bits_are_refused(tmp_path):
    write(tmp_path / "depth.png", [[1, 2]], "uint8")
    with pytest.raises(InputError, match=r"mode L\. Expected a PNG of 16 bits"):
        depth_maps.read_depths(tmp_path / "depth.png")


def test_a_file_that_is_not_an_image_is_refused(tmp_path):
    (tmp_path / "depth.png").write_text("depth")
    with pytest.raises(InputError, match=r"cannot be read .* Expected a whole JPEG, PNG"):
        depth_maps.read_depths(tmp_path / "depth.png")


def test_maps_of_two_sizes_are_refused(tmp_path):
    pair = depth_maps.Pair(tmp_path / "sparse.png", tmp_path / "dense.png")
    write(pair.sparse, [[1, 2]])
    write(pair.dense, [[1, 2, 3]])
    with pytest.raises(InputError, match=r"is 2 x 1 pixels, its target .* 3 x 1\. Expected the same size"):
        depth_maps.read_pair(pair)
