"""Files that cannot be read: refused by default, left out where that is asked for."""

import logging

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.catalogue.registry import registry
from zoo.errors import UnreadableError
from zoo.training.checking import checked
from zoo.training.trainers import find_trainer


def damage(path):
    path.write_bytes(path.read_bytes()[:40])
    return path


def find(name, data, skip_unreadable, split="train"):
    entry = registry().find(name)
    return find_trainer(entry.task).find(data, split, entry, None, skip_unreadable=skip_unreadable)


@pytest.mark.slow  # trains
def test_a_run_goes_without_the_images_that_cannot_be_read(photographs, tmp_path, caplog):
    broken = damage(photographs / "red" / "0.png")
    with pytest.raises(UnreadableError, match=r"red.0\.png cannot be read"):
        zoo.finetune("blurnet-textures", photographs, epochs=1, output_dir=tmp_path / "run")
    options = {"epochs": 1, "freeze": "backbone", "skip_unreadable": True, "output_dir": tmp_path / "run"}
    with caplog.at_level(logging.WARNING, "zoo"):
        run = zoo.finetune("blurnet-textures", photographs, **options)
    assert f"1 of 26 examples cannot be read and are left out:\n{broken} cannot be read" in caplog.text
    assert "20 training examples, 5 validation examples" in (run.folder / "run.json").read_text()


def test_a_class_is_not_lost_unsaid(photographs):
    for path in (photographs / "red").iterdir():
        damage(path)
    with pytest.raises(zoo.errors.InputError, match="The class 'red' has no image that can be read"):
        find("blurnet-textures", photographs, True)


def test_an_image_goes_with_its_mask(tmp_path):
    (tmp_path / "train").mkdir()
    for name in "abc":
        Image.new("RGB", (8, 8)).save(tmp_path / "train" / f"{name}.jpg")
        Image.new("L", (8, 8)).save(tmp_path / "train" / f"{name}.png")
    damage(tmp_path / "train" / "a.png")
    damage(tmp_path / "train" / "c.jpg")
    with pytest.raises(UnreadableError, match=r"(?s)a\.png cannot be read .*c\.jpg cannot be read"):
        find("segnet-basic", tmp_path, False)
    kept = find("segnet-basic", tmp_path, True)
    assert [item.image.stem for item in kept.items] == ["b"]
    assert kept.pixels == ((64, *[0] * 10),)


@pytest.mark.parametrize("name", ["espcn-x2", "pconv-unet"])
def test_images_without_target_are_left_out_too(name, tmp_path):
    for index in range(3):
        Image.fromarray(np.full((32, 32, 3), index, "uint8")).save(tmp_path / f"{index}.png")
    damage(tmp_path / "1.png")
    assert [path.stem for path in find(name, tmp_path, True).items] == ["0", "2"]


def test_nothing_that_can_be_read_is_an_error_all_the_same(tmp_path):
    paths = [tmp_path / f"{index}.png" for index in range(5)]
    for path in paths:
        path.write_text("no image")
    with pytest.raises(UnreadableError, match=r"(?s)0\.png.*1\.png.*2\.png.*and 2 more"):
        checked(paths, zoo.imaging.planes.read_image, skip_unreadable=True)
