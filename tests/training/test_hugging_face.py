"""Splits of the library `datasets`, made here; what is downloaded has the same form."""

import io

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.training.photographs import COLORS
from zoo.catalogue.registry import registry
from zoo.errors import InputError, UnreadableError
from zoo.training.trainers import find_trainer

NAMES = sorted(COLORS)


def split(columns, **features):
    import datasets

    known = datasets.Features({name: features.get(name, datasets.Image()) for name in columns})
    return datasets.Dataset.from_dict(columns, features=known)


def noisy(color, generator):
    return Image.fromarray(np.clip(np.array(color) + generator.normal(0, 50, (16, 16, 3)), 0, 255).astype("uint8"))


@pytest.fixture(scope="module")
def photographs():
    import datasets

    generator = np.random.default_rng(0)
    labels = [*range(3)] * 8
    images = [noisy(COLORS[NAMES[label]], generator) for label in labels]
    return split({"id": [*map(str, labels)], "image": images, "label": labels},
                 id=datasets.Value("string"), label=datasets.ClassLabel(names=NAMES))  # fmt: skip


def find(name, data, labels=None, **options):
    entry = registry().find(name)
    return find_trainer(entry.task).find(data, "train", entry, labels, **options)


@pytest.mark.slow  # a training; what it reads is tested below, and test_finetuning.py trains on a folder
def test_a_split_with_classes_teaches_a_classifier(photographs, tmp_path):
    run = zoo.finetune(
        "blurnet-textures", photographs, epochs=4, batch_size=4, learning_rate=0.02, output_dir=tmp_path / "run"
    )
    assert run.model.spec.labels == tuple(NAMES)
    assert run.metrics["top1_percent"] == 100
    assert zoo.predict(run.model, photographs[1]["image"])[0]["predictions"][0]["label"] == NAMES[1]


def test_classes_are_known_by_name_where_they_stand_in_another_order(photographs):
    import datasets

    turned = photographs.cast_column("label", datasets.ClassLabel(names=NAMES[::-1]))
    assert find("blurnet-textures", turned, tuple(NAMES)).classes == tuple([2, 1, 0] * 8)


def test_images_are_decoded_when_they_are_read(photographs):
    examples = find("blurnet-textures", photographs)
    trainer, entry = find_trainer("image-classification"), registry().find("blurnet-textures")
    pixels, label = trainer.read(examples.items[4], entry, (16, 16, 3), None)
    np.testing.assert_array_equal(pixels, photographs[4]["image"])
    assert label == 1
    assert not isinstance(examples.items[4][0], np.ndarray | Image.Image)


def test_the_same_images_have_the_same_digest(photographs):
    again = photographs.select(range(len(photographs)))
    other = photographs.select([*range(3, len(photographs)), 0, 1, 2])
    digests = [find("blurnet-textures", one).digest() for one in (photographs, again, other)]
    assert digests[0] == digests[1] != digests[2]


def test_a_second_column_of_images_is_masks():
    mask = Image.fromarray(np.array([[0, 1, 255], [3, 2, 0]] * 4, "uint8").repeat(3, axis=1))
    colored = mask.convert("P")
    colored.putpalette([*range(256)] * 3)
    data = split({"image": [Image.new("L", (9, 8), 100), Image.new("RGB", (9, 8))], "annotation": [mask, colored]})
    examples = find("segnet-basic", data)
    image, classes = find_trainer("semantic-segmentation").read(
        examples.items[1], registry().find("segnet-basic"), (8, 9, 3), None
    )
    assert image.shape == (8, 9, 3)
    values = np.asarray(mask).astype(int)
    np.testing.assert_array_equal(classes, np.where(values == 255, -1, values))
    assert examples.pixels[0][:4] == (24, 12, 12, 12)


def test_depths_of_16_bits_are_metres():
    maps = [Image.fromarray(np.full((16, 16), 256 * metres, "uint16")) for metres in (3, 5)]
    examples = find("sparseconvnet", split({"sparse": maps, "dense": maps}))
    inputs, target = find_trainer("depth-completion").read(
        examples.items[1], registry().find("sparseconvnet"), (16, 16, 1), None
    )
    assert (inputs["image"] == 5).all()
    assert (target == 5).all()


def test_columns_of_numbers_are_inputs_and_targets():
    import datasets

    numbers = {"inputs": [[1.0, 2.0], [3.0, 4.0]], "targets": [[1.0, 2.0], [3.0, 4.0]]}
    examples = find("coordconv-classifier", datasets.Dataset.from_dict(numbers))
    np.testing.assert_array_equal(examples.items[1], [[3, 4], [3, 4]])


def test_images_alone_teach_enlarging(photographs):
    images = photographs.select_columns(["image"])
    assert len(find("espcn-x2", images).items) == 24


def test_a_damaged_image_is_named_or_left_out(photographs):
    import datasets

    buffer = io.BytesIO()
    photographs[0]["image"].save(buffer, "PNG")
    whole = [{"bytes": buffer.getvalue(), "path": None}] * 3
    broken = [{"bytes": buffer.getvalue()[:60], "path": None}]
    data = split({"image": [*whole, *broken], "label": [0, 1, 0, 1]}, label=datasets.ClassLabel(names=["a", "b"]))
    with pytest.raises(UnreadableError, match="image 3 cannot be read"):
        find("blurnet-textures", data)
    assert find("blurnet-textures", data, skip_unreadable=True).classes == (0, 1, 0)


def test_a_split_without_such_columns_is_refused(photographs):
    with pytest.raises(InputError, match=r"has the columns id\. Expected a column of images"):
        find("blurnet-textures", photographs.select_columns(["id"]))
    with pytest.raises(InputError, match=r"has the columns image\. Expected a column of images, and one of classes"):
        find("blurnet-textures", photographs.select_columns(["image"]))


def test_a_streamed_split_and_all_splits_together_are_refused(photographs):
    import datasets

    with pytest.raises(InputError, match="The split is streamed"):
        find("blurnet-textures", photographs.to_iterable_dataset())
    with pytest.raises(InputError, match=r"The data are a DatasetDict\. Expected"):
        find("blurnet-textures", datasets.DatasetDict(train=photographs))


def test_objects_have_the_classes_that_the_split_declares():
    """As in `cppe-5` and the like: COCO's boxes, x, y, width and height."""
    import datasets

    described = registry().find("fcos_resnet50_fpn")
    image = Image.fromarray(np.zeros((30, 40, 3), "uint8"))
    objects = [{"bbox": [[4, 5, 20, 10]], "category": [1]}, {"bbox": [], "category": []}]
    columns = {"image": [image, image], "objects": objects}
    for category in (datasets.ClassLabel(names=["mask", "glove"]), datasets.Value("int64")):
        kinds = {
            "bbox": datasets.List(datasets.List(datasets.Value("float32"), 4)),
            "category": datasets.List(category),
        }
        found = find_trainer("object-detection").find(split(columns, objects=kinds), "train", described, None)
        assert [[(box.sides, box.label) for box in item.boxes] for item in found.items] == [[((4, 5, 24, 15), 1)], []]
        declared = isinstance(category, datasets.ClassLabel)
        assert found.labels[:2] == (("mask", "glove") if declared else ("background", "person"))
