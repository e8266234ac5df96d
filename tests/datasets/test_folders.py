"""What is the same in every layout of a folder."""

import pytest

from zoo.datasets import class_folders, depth_maps, images_with_masks
from zoo.errors import InputError
from zoo.training import images

READERS = {
    "classes": class_folders.find_images,
    "depths": depth_maps.find_pairs,
    "masks": images_with_masks.find_pairs,
    "images": images.sources,
}


@pytest.mark.parametrize("find", READERS.values(), ids=READERS)
def test_a_file_in_place_of_the_folder_is_told_as_one(find, tmp_path):
    file = tmp_path / "photo.png"
    with pytest.raises(InputError, match=r"There is no folder .*photo.png.*Expected"):
        find(file, "train")
    file.touch()
    with pytest.raises(InputError, match=r"photo.png is a file, not a folder. Expected"):
        find(file, "train")
