"""Wrong data are an error before training starts."""

import functools
import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import zoo
from tests.training.photographs import write_photographs
from zoo.catalogue.registry import registry
from zoo.command_line.main import main
from zoo.errors import InputError
from zoo.training.preparation import prepare
from zoo.training.recipe import completed
from zoo.training.trainers import find_trainer

CLASSIFIER = registry().find("blurnet-textures")
SEGMENTER = registry().find("deeplabv3_mobilenet_v2").model_copy(update={"labels": ("sky", "road"), "num_classes": 2})


def find(entry, data, split="train", labels=None):
    return find_trainer(entry.task).find(data, split, entry, labels)


def masked(folder, mask, size=(6, 4)):
    (folder / "train").mkdir(parents=True)
    Image.new("RGB", size).save(folder / "train" / "a.jpg")
    Image.fromarray(np.asarray(mask, "uint8")).save(folder / "train" / "a.png")
    return folder


def test_an_empty_class_is_named(photographs):
    (photographs / "yellow").mkdir()
    with pytest.raises(InputError, match="yellow contains no image"):
        find(CLASSIFIER, photographs)


def test_an_image_that_cannot_be_read_is_named(photographs):
    whole = (photographs / "red" / "0.png").read_bytes()
    (photographs / "red" / "0.png").write_bytes(whole[: len(whole) // 2])
    (photographs / "blue" / "3.png").write_text("no image")
    with pytest.raises(InputError, match=r"(?s)blue.3.png cannot be read .*red.0.png cannot be read"):
        find(CLASSIFIER, photographs)


def test_one_class_only_is_refused(photographs, tmp_path):
    (tmp_path / "one").mkdir()
    (photographs / "red").rename(tmp_path / "one" / "red")
    with pytest.raises(InputError, match="one class only, 'red'"):
        find(CLASSIFIER, tmp_path / "one")


def test_a_class_that_is_only_measured_on_is_refused(photographs):
    with pytest.raises(InputError, match="have the class 'red'"):
        find(CLASSIFIER, photographs, "val", ("blue", "green"))


def test_a_class_without_an_image_in_arrays_is_refused():
    with pytest.raises(InputError, match="class 1 has no image"):
        find(CLASSIFIER, (np.zeros((2, 8, 8, 3), "uint8"), [0, 2]))


def test_inputs_without_target_are_refused():
    with pytest.raises(InputError, match="2 inputs and 3 targets"):
        find(CLASSIFIER, (np.zeros((2, 8, 8, 3), "uint8"), [0, 1, 1]))
    with pytest.raises(InputError, match=r"data are a ndarray\. Expected FOLDER/CLASS/NAME.jpg"):
        find(CLASSIFIER, np.zeros((2, 8, 8, 3), "uint8"))


def test_a_mask_with_a_value_that_is_not_a_class_is_named(tmp_path):
    with pytest.raises(InputError, match=r"a.png contains 7, which is not a class\. Expected 0 to 1, and 255 or 2"):
        find(SEGMENTER, masked(tmp_path, np.full((4, 6), 7)))


def test_void_is_not_an_error(tmp_path):
    examples = find(SEGMENTER, masked(tmp_path, [[0, 1, 2, 255, 0, 1]] * 4))
    _, classes = find_trainer(SEGMENTER.task).read(examples.items[0], SEGMENTER, (4, 6, 3), None)
    np.testing.assert_array_equal(classes, [[0, 1, -1, -1, 0, 1]] * 4)


def test_a_mask_of_another_size_than_its_image_is_named(tmp_path):
    with pytest.raises(InputError, match=r"a\.png is 5 x 4 pixels, its image 6 x 4"):
        find(SEGMENTER, masked(tmp_path, np.zeros((4, 5))))


def test_the_classes_of_masks_stand_in_a_file(tmp_path):
    folder = masked(tmp_path, [[0, 1, 2, 2, 2, 2]] * 4)
    (folder / "classes.txt").write_text("sky\nroad\ncar\n")
    examples = find(SEGMENTER, folder)
    adapted = find_trainer(SEGMENTER.task).adapted(SEGMENTER, examples)
    assert (adapted.labels, adapted.num_classes, adapted.random) == (("sky", "road", "car"), 3, "head")


@pytest.mark.parametrize(("values", "found"), [([0, 255], "'sky'"), ([255, 255], "no class"), ([1, 1], "'road'")])
def test_masks_with_pixels_of_one_class_are_refused_before_training_starts(values, found, tmp_path):
    examples = find(SEGMENTER, masked(tmp_path, [values * 3] * 4))
    with pytest.raises(InputError, match=f"of {found} only, .* such as 'sky' as 0 and 'road' as 1.*in place of 255"):
        find_trainer(SEGMENTER.task).adapted(SEGMENTER, examples)


def test_a_class_that_no_mask_has_is_named(tmp_path, caplog):
    folder = masked(tmp_path, [[0, 1, 0, 1, 0, 1]] * 4)
    (folder / "classes.txt").write_text("sky\nroad\ncar\n")
    find_trainer(SEGMENTER.task).adapted(SEGMENTER, find(SEGMENTER, folder))
    assert "No mask to train on has pixels of 'car': the model will not find them" in caplog.text


def test_the_command_asks_for_the_names_of_the_classes(tmp_path):
    folder = masked(tmp_path, [[0, 1, 0, 1, 0, 1]] * 4)
    answer = CliRunner().invoke(main, ["finetune", "blurnet-textures", str(folder), "--decoder", "fpn"])
    assert answer.exit_code == 1
    assert "has no classes.txt. Expected it there, with the name of one class per line" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"learning_rate": -1}, "learning_rate=-1"),
        ({"freeze": "head"}, "freeze='head'"),
        ({"freeze": 99}, "freeze=99"),
    ],
)
def test_an_argument_out_of_range_is_named(arguments, message, photographs, tmp_path):
    with pytest.raises(InputError, match=message):
        zoo.finetune("blurnet-textures", photographs, output_dir=tmp_path / "run", **arguments)
    assert not (tmp_path / "run").exists()


def test_a_network_without_a_head_has_no_backbone_to_freeze(tmp_path):
    images = list(np.zeros((4, 32, 32, 3), "uint8"))
    with pytest.raises(InputError, match=r"does not fit espcn-x2\.photos: it has no head"):
        zoo.finetune("espcn-x2", images, freeze="backbone", output_dir=tmp_path / "run")


def test_validation_images_have_the_size_of_the_training_images(photographs, tmp_path):
    other = write_photographs(tmp_path / "other", {"blue": 1, "green": 1}, side=20)
    with pytest.raises(InputError, match=r"validation inputs are \(20, 20, 3\), training inputs \(16, 16, 3\)"):
        zoo.finetune("blurnet-textures", photographs, validation_data=other, output_dir=tmp_path / "run")


def test_images_of_several_sizes_are_brought_to_one(tmp_path):
    other = write_photographs(tmp_path / "other", {"blue": 2, "green": 2}, side=20)
    Image.new("RGB", (30, 10)).save(other / "blue" / "wide.png")
    examples = find(CLASSIFIER, other)
    adapted = find_trainer(CLASSIFIER.task).adapted(CLASSIFIER, examples)
    assert find_trainer(CLASSIFIER.task).shape(adapted, examples) == (224, 224, 3)


ODD = {
    "epochs": ["3", 0, -1, 2.5, True, None, float("nan"), [3]],
    "batch_size": ["8", 0, -4, 1.5, False, None, float("inf")],
    "learning_rate": ["fast", "0.1", 0, -1, float("nan"), float("inf"), True, None, [0.1]],
    "freeze": ["head", "99", -1, 1.5, True, None],
    "augment": ["yes", 1, True, False],
    "steps": ["9", 0, 1.5, True],
    "gradient_accumulation": [0, 1.5, None, "2"],
    "optimizer": [3, None],
    "weight_decay": [-0.1, 1, None, "0", float("nan"), True],
    "layer_decay": [0, 1.1, None, "1"],
    "ema": [0, 1, 1.5, "0.9", True],
    "loss": [3, True],
    "mixup": [-0.1, 1.5, None, True],
    "cutmix": ["1", 2],
    "label_smoothing": [1, -0.1, None],
    "image_size": [0, "224", (224,), (0, 9), 2.5, True],
    "recipe": [3, True],
    "mixed_precision": ["yes", 1, None],
    "skip_unreadable": ["no", 0, None],
    "seed": ["a", -1, 2**32, 1.5, None, True],
    "validation_data": [0.2, 5, True],
    "output_dir": ["", 3, True],
    "resume": ["no", 1, None],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ODD.items() for value in values])
def test_an_odd_argument_is_named_before_anything_is_loaded_or_written(name, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"^{name}="):
        zoo.finetune("there-is-no-such-model", tmp_path, **{name: value})
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_numpy_are_numbers(photographs, tmp_path):
    options = {"epochs": np.int64(1), "batch_size": np.int32(4), "learning_rate": np.float32(0.5), "seed": np.uint8(1)}
    answer = prepare(zoo.load("blurnet-textures"), photographs, completed(None, options))
    assert json.dumps(answer.settings)


TENSORS, CLASSES = np.zeros((4, 8, 8, 3), "uint8"), np.array([0, 1, 0, 1])
BATCHES = {
    "never ends": (lambda data: data((TENSORS, CLASSES)).batch(2).repeat(), "never end"),
    "no batches": (lambda data: data((TENSORS, CLASSES)), r"are uint8 \(8, 8, 3\)"),
    "no targets": (lambda data: data(TENSORS).batch(2), "Expected batches"),
    "a dict": (lambda data: data({"image": TENSORS, "class": CLASSES}).batch(2), "Expected batches"),
    "empty": (lambda data: data((TENSORS, CLASSES)).batch(2).take(0), "are empty"),
    "other channels": (lambda data: data((TENSORS[..., :1], CLASSES)).batch(2), r"are uint8 \(2, 8, 8, 1\)"),
    "text": (lambda data: data((CLASSES.astype(str), CLASSES)).batch(2), "batch first"),
    "named inputs": (lambda data: data(({"image": TENSORS}, CLASSES)).batch(2), "of another structure"),
    "one-hot": (lambda data: data((TENSORS, np.eye(2)[CLASSES])).batch(2), "do not fit"),
    "a class too many": (lambda data: data((TENSORS, CLASSES + 1)).batch(2), "from 0 to 1"),
    "a negative class": (lambda data: data((TENSORS, CLASSES - 1)).batch(2), "from 0 to 1"),
    "halves": (lambda data: data((TENSORS, CLASSES / 2)).batch(2), "whole numbers"),
}


@pytest.mark.parametrize("place", ["training", "validation"])
@pytest.mark.parametrize("name", BATCHES)
def test_batches_that_do_not_fit_are_reported_before_the_training(name, place):
    import tensorflow as tf

    make, message = BATCHES[name]
    good, bad = (
        tf.data.Dataset.from_tensor_slices((TENSORS, CLASSES)).batch(2),
        make(tf.data.Dataset.from_tensor_slices),
    )
    train, validation = (bad, None) if place == "training" else (good, bad)
    with pytest.raises(InputError, match=rf"of the {place} data.*{message}|The {place} data.*{message}"):
        prepare(two_classes(), train, completed(None, {"epochs": 1}), validation_data=validation)


@functools.cache
def two_classes():
    return zoo.load("blurnet-textures", num_classes=2)


def test_batches_and_a_folder_do_not_go_together(photographs):
    import tensorflow as tf

    batches = tf.data.Dataset.from_tensor_slices((TENSORS, CLASSES)).batch(2)
    for train, validation in ((batches, photographs), (photographs, batches)):
        with pytest.raises(InputError, match="Expected both in one form"):
            zoo.finetune(two_classes(), train, validation_data=validation)
