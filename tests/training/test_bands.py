"""Images of other than three bands: trained on and evaluated, from arrays, `.npy` files and TIFF."""

import keras
import numpy as np
import pytest
import tifffile
from PIL import Image

import zoo
from tests.training.small_tasks import entry
from zoo import architectures
from zoo.catalogue.entry import Input
from zoo.training.trainers import find_trainer
from zoo.training.views import random_view


def bands(count, channels, label):
    """Class 1 is bright in the last band alone, which no image viewer shows."""
    images = np.random.default_rng(label).integers(0, 100, (count, 16, 20, channels)).astype("uint8")
    images[..., -1] += np.uint8(120 * label)
    return images


def classifier(channels, **facts):
    grey = {"mean": (0.0,) * channels, "std": (1.0,) * channels}
    return entry(
        "image-classification", "blurnet.blurnet", config={"filters": [8, 8]}, num_classes=2, classifier="fc",
        input=Input(**grey, **facts),
    )  # fmt: skip


def write(folder, form, channels):
    for label, name in enumerate(("dry", "wet")):
        (folder / name).mkdir(parents=True)
        for number, one in enumerate(bands(6, channels, label)):
            path = folder / name / f"{number}.{form}"
            if form == "npy":
                np.save(path, one)
            else:
                tifffile.imwrite(path, one, photometric="minisblack", planarconfig="contig")
    return folder


@pytest.mark.slow  # trains
def test_a_classifier_of_bands_learns_and_is_measured(tmp_path):
    data = write(tmp_path / "fields", "tif", 4)
    keras.utils.set_random_seed(0)
    model = architectures.build(classifier(4))
    run = zoo.finetune(model, data, epochs=2, batch_size=4, output_dir=tmp_path / "run")
    assert run.metrics["count"] == 2
    record = zoo.evaluate(run.model, data)
    assert (record["count"], set(record["class_percent"])) == (12, {"dry", "wet"})


@pytest.mark.parametrize("form", ["arrays", "npy", "tif"])
@pytest.mark.parametrize("channels", [2, 4, 6])
def test_bands_are_read_as_they_are(form, channels, tmp_path):
    data = np.concatenate([bands(6, channels, 0), bands(6, channels, 1)]), np.repeat([0, 1], 6)
    source = data if form == "arrays" else write(tmp_path, form, channels)
    trainer, described = find_trainer("image-classification"), classifier(channels)
    examples = trainer.find(source, "train", described, None)
    shape = trainer.shape(described, examples)
    assert shape == (16, 20, channels)
    for item, image, label in zip(examples.items, *data, strict=True):
        read, target = trainer.read(item, described, shape, None)
        np.testing.assert_array_equal(read, image)
        assert target == label


def test_views_of_bands_stay_together():
    spec = Input(mean=(0.0,) * 5, std=(1.0,) * 5)
    image = np.arange(24, dtype="uint8").repeat(20).reshape(24, 20, 1) * np.arange(1, 6, dtype="uint8")
    for seed in range(4):
        view = random_view(image, spec, 12, 10, np.random.default_rng(seed)).astype(int)
        assert view.shape == (12, 10, 5)
        assert np.abs(view - view[..., :1] * np.arange(1, 6)).max() <= 5  # each band was rounded


def test_masks_go_with_bands():
    described = entry("semantic-segmentation", "segnet.segnet_basic", num_classes=3, labels=("a", "b", "c"),
                      input=Input(mean=(0.0,) * 4, std=(1.0,) * 4))  # fmt: skip
    masks = np.arange(48).reshape(6, 8) % 3
    images = np.stack([masks * 10 + band for band in range(4)], axis=-1).astype("uint8")
    trainer = find_trainer("semantic-segmentation")
    examples = trainer.find(([images], [masks]), "train", described, None)
    for seed in range(4):
        image, classes = trainer.read(examples.items[0], described, (4, 4, 4), np.random.default_rng(seed))
        np.testing.assert_array_equal(image, classes[..., None] * 10 + np.arange(4))


def test_images_of_other_bands_are_reported_before_training(tmp_path):
    for name in ("dry", "wet"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / name / "1.png")
    with pytest.raises(zoo.InputError, match=r"the shape \(8, 8, 3\)\. Expected \(height, width, 4\)"):
        find_trainer("image-classification").find(tmp_path, "train", classifier(4), None)
    images = np.zeros((2, 8, 8, 3), "uint8")
    with pytest.raises(zoo.InputError, match=r"the shape \(8, 8, 3\)\. Expected \(height, width, 6\)"):
        find_trainer("image-classification").find((images, [0, 1]), "train", classifier(6), None)


@pytest.mark.parametrize("kind", ["uint16", "float"])
def test_numbers_that_would_come_out_black_are_reported_before_training(kind, tmp_path):
    for name in ("dry", "wet"):
        (tmp_path / name).mkdir()
        values = np.full((8, 8), 1000, "uint16") if kind == "uint16" else np.full((8, 8), 0.5, "float32")
        Image.fromarray(values).save(tmp_path / name / "1.tif")
    with pytest.raises(zoo.InputError, match=r"1000 of 65535|multiply an image in \[0, 1\]"):
        find_trainer("image-classification").find(tmp_path, "train", classifier(3), None)
