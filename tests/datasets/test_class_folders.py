"""Class folders as they are on disks: what is a class, what a split, and what neither."""

import logging
import os

import pytest
from PIL import Image

from zoo.datasets.class_folders import find_images, has_split
from zoo.errors import InputError
from zoo.training.examples import Examples, hold_out
from zoo.training.same_files import say_shared


def write(root, *paths):
    for number, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number, 0, 0)).save(root / path, "PNG")
    return root


def found(root, split=None):
    """The classes, and the names of their files."""
    names, images = find_images(root, split)
    return {name: [item.image.name for item in images if item.label == at] for at, name in enumerate(names)}


HIDDEN = [
    ".ipynb_checkpoints/1.png", "@eaDir/1.png/SYNOPHOTO_THUMB_XL.jpg", ".thumbnails/1.png", "._1.png", ".1.png",
    ".AppleDouble/1.png", ".@__thumb/1.png", "@Recycle/1.png", "#recycle/1.png", "$RECYCLE.BIN/1.png",
    "Thumbs.db", "desktop.ini", ".DS_Store", "deep/@eaDir/1.png", "lost+found/1.png",
]  # fmt: skip


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_is_hidden_in_a_class_is_not_an_example_and_is_said_once(hidden, tmp_path, caplog):
    write(tmp_path, "cat/1.png", "cat/deep/2.png", "dog/3.png", f"cat/{hidden}")
    assert found(tmp_path) == {"cat": ["1.png", "2.png"], "dog": ["3.png"]}
    silent = hidden in ("Thumbs.db", "desktop.ini", ".DS_Store")
    assert len(caplog.records) == (0 if silent else 1)
    assert silent or str(tmp_path) in caplog.text


@pytest.mark.parametrize("name", ["__MACOSX", ".git", ".Trash-1000", "@eaDir", "System Volume Information", "#recycle"])
def test_a_folder_that_a_system_left_is_not_a_class(name, tmp_path):
    write(tmp_path, "cat/1.png", "dog/2.png", f"{name}/cat/1.png")
    assert list(found(tmp_path)) == ["cat", "dog"]


def test_files_that_are_not_images_are_reported(tmp_path, caplog):
    write(tmp_path, "cat/1.png", "dog/2.png", "loose.png", "cat/IMG_1.HEIC", "cat/notes.txt", "dog/film.mpg")
    assert found(tmp_path) == {"cat": ["1.png"], "dog": ["2.png"]}
    [record] = caplog.records
    assert "and 1 more" in record.message
    assert "IMG_1.HEIC" in record.message


CLASSES = {
    "train among classes": (["bus/1.png", "car/2.png", "train/3.png"], ["bus", "car", "train"]),
    "test and pass": (["pass/1.png", "test/2.png"], ["pass", "test"]),
    "val among classes": (["key/1.png", "val/2.png"], ["key", "val"]),
    "two splits' names among classes": (["dev/1.png", "test/2.png", "shop/3.png"], ["dev", "shop", "test"]),
    "empty folders beside": (["cat/1.png", "dog/1.png"], ["cat", "dog"]),
    "one folder too many": (["data/cat/1.png", "data/dog/2.png"], ["cat", "dog"]),
    "two folders too many": (["a/b/cat/1.png", "a/b/dog/2.png"], ["cat", "dog"]),
    "one too many in a class": (["n02012849/images/1.png", "n03126707/n03126707/2.png"], ["n02012849", "n03126707"]),
    "upper and lower case": (["cat/1.PNG", "dog/2.JPEG", "dog/3.Tif"], ["cat", "dog"]),
}


@pytest.mark.parametrize(("paths", "names"), CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("split", [None, "train", "test"])
def test_classes_without_splits(paths, names, split, tmp_path):
    write(tmp_path, *paths)
    assert list(found(tmp_path, split)) == names
    assert sum(map(len, found(tmp_path, split).values())) == len(paths)
    assert not has_split(tmp_path, "train")
    assert not has_split(tmp_path, "val")


SPLITS = {
    "usual": ["train/cat/1.png", "train/dog/2.png", "val/cat/3.png", "val/dog/4.png"],
    "other names": ["training/cat/1.png", "training/dog/2.png", "valid/cat/3.png", "valid/dog/4.png"],
    "in large letters": ["Train/cat/1.png", "Train/dog/2.png", "Validation/cat/3.png", "Validation/dog/4.png"],
    "dev": ["train/cat/1.png", "train/dog/2.png", "dev/cat/3.png", "dev/dog/4.png"],
    "in a folder": ["pets/train/cat/1.png", "pets/train/dog/2.png", "pets/val/cat/3.png", "pets/val/dog/4.png"],
    "twice": ["train/train/cat/1.png", "train/train/dog/2.png", "val/val/cat/3.png", "val/val/dog/4.png"],
    "beside other images": ["train/cat/1.png", "train/dog/2.png", "val/cat/3.png", "val/dog/4.png", "samples/5.png"],
    "a split without labels": ["train/cat/1.png", "train/dog/2.png", "val/cat/3.png", "val/dog/4.png", "test/5.png"],
    "a class called train": ["train/cat/1.png", "train/dog/2.png", "val/cat/3.png", "val/dog/4.png"],
}


@pytest.mark.parametrize("paths", SPLITS.values(), ids=SPLITS)
def test_splits(paths, tmp_path):
    write(tmp_path, *paths)
    assert found(tmp_path, "train") == {"cat": ["1.png"], "dog": ["2.png"]}
    for name in ("val", "valid", "validation", "dev"):
        assert found(tmp_path, name) == {"cat": ["3.png"], "dog": ["4.png"]}
    assert has_split(tmp_path, "val")


def test_what_could_be_a_split_or_a_class_is_asked(tmp_path):
    write(tmp_path, "train/steam/1.png", "train/electric/2.png", "bus/3.png")
    with pytest.raises(InputError, match=r"in 'train', as a split does, and images in 'bus', as a class does"):
        find_images(tmp_path, "train")


def test_a_split_that_is_not_there_names_those_that_are(tmp_path):
    write(tmp_path, "train/cat/1.png", "Valid/cat/2.png")
    with pytest.raises(InputError, match=r"no folder .*test\. .* has the splits Valid, train\. Expected FOLDER/CLASS"):
        find_images(tmp_path, "test")


def test_links_are_followed_once(tmp_path):
    write(tmp_path / "store", "cats/1.png", "cats/deep/2.png")
    write(tmp_path / "data", "dog/3.png")
    os.symlink(tmp_path / "store" / "cats", tmp_path / "data" / "cat")
    os.symlink(tmp_path / "data", tmp_path / "data" / "dog" / "loop")
    assert found(tmp_path / "data") == {"cat": ["1.png", "2.png"], "dog": ["3.png"]}


@pytest.mark.parametrize("names", [("cat", "@eaDir/1.png"), ("cat", "notes.txt"), ("cat", "")])
def test_a_class_without_an_image_is_named(names, tmp_path):
    write(tmp_path, "dog/1.png")
    (tmp_path / "cat").mkdir()
    if names[1]:
        write(tmp_path, "/".join(names)) if names[1].endswith("png") else (tmp_path / "cat" / names[1]).touch()
    with pytest.raises(InputError, match=r"The class .*cat contains no image"):
        find_images(tmp_path)


def test_a_name_that_is_not_text_is_refused(tmp_path):
    os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9")
    write(tmp_path, "dog/1.png", os.fsdecode(b"caf\xe9/2.png"))
    with pytest.raises(InputError, match="not UTF-8"):
        find_images(tmp_path)


def copies(root, count):
    """Twice as many files as images: each a second time, linked or copied under another name."""
    write(root, *(f"cat/{number}.png" for number in range(count)))
    for number in range(count):
        path = root / "cat" / f"{number}.png"
        if number % 2:
            os.symlink(path, root / "cat" / f"{number} (1).png")
        else:
            (root / "cat" / f"{number} (1).png").write_bytes(path.read_bytes())
    return [item.image for item in find_images(root)[1]]


def test_a_file_is_never_on_both_sides_of_a_split(tmp_path):
    paths = copies(tmp_path, 10)
    for seed in range(3):
        training, held = hold_out(Examples(tuple((path, 0) for path in paths), classes=(0,) * 20), seed)
        assert (len(training.items), len(held.items)) == (16, 4)
        seen = {path.read_bytes() for path, _ in training.items}
        assert not any(path.read_bytes() in seen for path, _ in held.items)


def test_copies_are_validation_data_where_there_is_nothing_else_and_that_is_reported(tmp_path, caplog):
    write(tmp_path, "cat/1.png", "dog/1.png")
    for name in ("cat", "dog"):
        for number in range(2, 6):
            (tmp_path / name / f"{number}.png").write_bytes((tmp_path / name / "1.png").read_bytes())
    items = tuple((item.image, item.label) for item in find_images(tmp_path)[1])
    training, held = hold_out(Examples(items, classes=tuple(label for _, label in items)), 0)
    assert (len(training.items), len(held.items)) == (8, 2)
    assert "Each class is copies of one file" in caplog.text


def test_files_on_both_sides_that_were_passed_are_reported(tmp_path, caplog):
    paths = copies(tmp_path, 4)
    with caplog.at_level(logging.WARNING, "zoo"):
        say_shared(paths[:2], paths[2:])
        assert not caplog.records
        say_shared(paths[:3], paths[3:])
    assert "1 of 5 validation examples are also trained on" in caplog.text


def test_pipes_are_left_out_and_links_to_nothing_are_not(tmp_path, caplog):
    """A pipe called as an image would keep whoever opens it waiting."""
    write(tmp_path, "cat/1.png", "dog/2.png")
    os.mkfifo(tmp_path / "cat" / "pipe.jpg")
    os.symlink(tmp_path / "moved.png", tmp_path / "cat" / "gone.png")
    assert found(tmp_path) == {"cat": ["1.png", "gone.png"], "dog": ["2.png"]}
    assert "pipe.jpg" in caplog.text
