"""Detectors are fine-tuned: what is trained, what is kept, resumed runs, and what is refused before."""

import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import zoo
from tests.marked_cases import first_of_each, release_except
from tests.training.small_tasks import detection, detector, entry, ssd
from zoo import architectures
from zoo.catalogue.decoder_names import DETECTORS
from zoo.catalogue.registry import registry
from zoo.command_line.main import main
from zoo.errors import InputError, UnreadableError
from zoo.training.plan import phases
from zoo.training.preparation import prepare
from zoo.training.recipe import completed
from zoo.training.trainers import find_trainer
from zoo.weights.keras_state import abstract

OPTIONS = {"epochs": 2, "batch_size": 2, "learning_rate": 0.003, "image_size": 64}


def built(described):
    keras.utils.set_random_seed(0)
    return architectures.build(described)


def built_with(model, **facts):
    model.spec = model.spec.model_copy(update=facts)
    return model


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C in the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.release  # three runs; test_runs.py has a quick one that resumes, and the next test what is kept
def test_a_run_that_was_stopped_ends_with_the_bits_of_one_that_was_not(tmp_path):
    described, data = detection()
    model = built(described)
    options = {**OPTIONS, "augment": "strong", "ema": 0.9}
    whole = zoo.finetune(model, data, output_dir=tmp_path / "whole", **options)
    assert list(whole.history) == ["loss", "val_loss", "val_ap_percent", "val_ap50_percent"]
    with pytest.raises(KeyboardInterrupt):
        zoo.finetune(model, data, output_dir=tmp_path / "stopped", callbacks=[Interrupt()], **options)
    calls = [keras.callbacks.Callback()]
    resumed = zoo.finetune(model, data, output_dir=tmp_path / "stopped", callbacks=calls, **options)
    assert (resumed.history, resumed.metrics) == (whole.history, whole.metrics)
    saved = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "stopped")]
    assert saved[0] == saved[1]


@pytest.mark.slow  # trains for several epochs; test_recipe.py has it of a classifier
def test_the_epoch_with_the_highest_average_precision_is_kept(tmp_path):
    described, data = detection()
    run = zoo.finetune(built(described), data, output_dir=tmp_path / "run", **OPTIONS)
    reached, record = run.history["val_ap_percent"], json.loads((tmp_path / "run" / "run.json").read_text())
    assert reached[record["best_epoch"]] == max(reached)
    assert run.metrics["ap_percent"] == pytest.approx(max(reached), abs=0.02)
    assert (tmp_path / "run" / "boxes.png").is_file()
    again = zoo.load(tmp_path / "run")
    assert zoo.predict(again, data[0][0])[0]["predictions"] == zoo.predict(run.model, data[0][0])[0]["predictions"]
    assert again.spec.input.crop_mode == "letterbox"


def write_coco(root, names=("square",), split="train", box=(4, 5, 20, 20), category=1, file="a.png", size=(40, 30)):
    (root / split).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(root / split / "a.png")
    content = {
        "images": [{"id": 1, "file_name": file}],
        "annotations": [{"image_id": 1, "category_id": category, "bbox": list(box)}],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, start=1)],
    }
    (root / split / "_annotations.coco.json").write_text(json.dumps(content))
    return root


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"box": (30, 5, 20, 20)}, r"a\.png has a box \(30, 5, 50, 25\) outside of the image, which has 40 x 30"),
        ({"box": (4, 5, 0, 20)}, r"a\.png has a box \(4, 5, 4, 25\) of no area"),
        ({"box": (4, float("nan"), 20, 20)}, r"a\.png has a box .*nan.*Expected numbers"),
        ({"category": 7}, "has objects of category 7, which it does not name"),
        ({"file": "b.png"}, r"names the image b\.png, which is not in"),
    ],
)
def test_bad_boxes_are_told_before_anything_is_trained_or_written(changes, words, tmp_path):
    data = write_coco(tmp_path / "data", **changes)
    with pytest.raises((InputError, UnreadableError), match=words):
        zoo.finetune(built(detector("fcos", 64)), data, output_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_images_without_any_object_are_nothing_to_train_on(tmp_path):
    images, _ = detection()[1]
    nothing = [{"boxes": [], "classes": []}] * len(images)
    with pytest.raises(InputError, match="None of the 8 images has an object"):
        zoo.finetune(built(detector("fcos", 64)), (images, nothing), output_dir=tmp_path / "run")


@pytest.mark.slow  # a large network
def test_an_encoder_whose_maps_have_other_sizes_is_told_before_anything_is_trained(tmp_path):
    data = write_coco(tmp_path / "data")
    write_coco(tmp_path / "data", split="val")
    model = zoo.load("inception_v3", weights=None, decoder="fcos", num_classes=1)
    words = r"The maps of .*inception_v3\S* have \d+ places for 128 x 128 pixels\. Expected \d+: an encoder whose"
    with pytest.raises(InputError, match=words):
        zoo.finetune(model, data, image_size=128, output_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_decoder_that_merges_halves_refuses_an_encoder_without_padding():
    words = r"half as large as the one before, and those of the encoder have 29, 14, 6 rows\. Choose"
    with pytest.raises(InputError, match=words):
        zoo.load("inception_v3", weights=None, decoder="yolox", num_classes=1)


def test_kinds_that_are_not_trained_say_which_are():
    model = entry("object-detection", "owner.detectors:mine", name="mine", num_classes=2)
    with pytest.raises(
        InputError,
        match=r"mine is built by .* not trained by zoo\.finetune\. Choose RetinaNet, FCOS, EfficientDet, YOLOX or SSD",
    ):
        find_trainer("object-detection").check_model(model)


def test_the_first_class_of_ssd_is_background(tmp_path):
    trainer, known = find_trainer("object-detection"), ssd(num_classes=3)
    data = write_coco(tmp_path / "data", ("square", "star"), category=2)
    found = trainer.find(data, "train", known, None)
    assert (found.labels, found.items[0].boxes[0].label) == (("background", "square", "star"), 2)
    adapted = trainer.adapted(known, found)
    assert adapted.num_classes == 3
    assert trainer.find(data, "train", adapted, None).labels == adapted.labels  # and its head stays
    image, box = np.zeros((40, 40, 3), "uint8"), (4, 5, 20, 20)
    assert len(trainer.find(([image], [{"boxes": [box], "classes": [1]}]), "train", known, None).items) == 1
    with pytest.raises(InputError, match=r"a box of class 0\. Expected 1 to 2; what is before is the background's"):
        trainer.find(([image], [{"boxes": [box], "classes": [0]}]), "train", known, None)
    with pytest.raises(InputError, match=r"image_size=\(320, 320\)\. Expected 300, which object-detection is made for"):
        trainer.resized(known, (300, 300, 3), (320, 320))


def test_other_classes_get_a_new_head_and_the_same_ones_keep_their_numbers(tmp_path):
    trainer = find_trainer("object-detection")
    known = detector("fcos", 64).model_copy(update={"labels": ("circle", "square"), "num_classes": 2, "random": "none"})
    same = trainer.find(write_coco(tmp_path / "same", ("square", "circle"), category=1), "train", known, None)
    assert same.labels == ("circle", "square")
    assert same.items[0].boxes[0].label == 1
    assert trainer.adapted(known, same).random == "none"
    other = trainer.find(write_coco(tmp_path / "other", ("square", "star", "heart"), category=3), "train", known, None)
    adapted = trainer.adapted(known, other)
    assert (adapted.labels, adapted.num_classes, adapted.random) == (("square", "star", "heart"), 3, "head")


def test_pretrained_batch_normalisation_stays_unless_all_layers_are_asked_for():
    described, data = detection()
    model = built(described)
    model.spec = model.spec.model_copy(update={"random": "head", "initial_weights": {}})
    for freeze, learns in (("auto", False), ("none", True)):
        plan = prepare(model, data, completed(None, {**OPTIONS, "epochs": 10, "freeze": freeze})).plan
        names = [phase.name for phase in plan.phases]
        assert names == ["head", "all"]
        assert ("bn1" in plan.phases[1].trained) is learns
        assert "conv1" in plan.phases[1].trained
        assert all(name.startswith("decoder-") for name in plan.phases[0].trained)


@pytest.mark.parametrize("decoder", first_of_each(DETECTORS))
def test_batch_normalisation_of_a_new_decoder_learns_to_the_end(decoder):
    with abstract():
        model = architectures.build(detector(decoder, 64))
    parts = phases(
        built_with(model, random="head"), freeze="auto", epochs=10, learning_rate="auto", keeps_normalization=True
    )
    new = {layer.name for layer in model.layers if layer.weights and not model.spec.in_backbone(layer.name)}
    assert new <= set(parts[1].trained)
    assert "bn1" not in parts[1].trained
    known = phases(built_with(model, random="none"), freeze="auto", epochs=1, learning_rate=1, keeps_normalization=True)
    assert not any(isinstance(model.get_layer(name), keras.layers.BatchNormalization) for name in known[0].trained)


def test_few_images_are_seen_more_often_and_the_square_can_be_another():
    described, data = detection()
    plan = prepare(built(described), data, completed(None, {"image_size": 96})).plan
    assert (plan.batch_size, plan.epochs, plan.input_shape) == (1, 10, (96, 96, 3))
    assert plan.steps_per_epoch * plan.epochs >= find_trainer("object-detection").least_steps
    for size in ((64, 96), 32):
        with pytest.raises(InputError, match=r"image_size=.*Expected the side of a square, at least 64 pixels"):
            prepare(built(described), data, completed(None, {"image_size": size}))


def test_a_dataset_of_batches_is_refused():
    import tensorflow as tf

    described, (images, _) = detection()
    batches = tf.data.Dataset.from_tensor_slices((np.stack(images), np.zeros(8))).batch(2)
    with pytest.raises(InputError, match=r"tf\.data\.Dataset does not apply to object-detection\. Expected a folder"):
        prepare(built(described), batches, completed(None, {}))


@pytest.mark.slow  # trains
def test_the_command_counts_the_classes_of_the_data(tmp_path):
    data = write_coco(tmp_path / "data", ("square", "star"))
    write_coco(data, ("square", "star"), split="val")
    arguments = ["finetune", "tf_efficientnet_lite0", str(data), "--decoder", "fcos", "--image-size", "64"]
    answer = CliRunner().invoke(main, [*arguments, "--dry-run", "--json"], catch_exceptions=False)
    plan = json.loads(answer.stdout)
    assert (plan["classes"], plan["task"]) == (["square", "star"], "object-detection")
    assert plan["training_examples"] == plan["validation_examples"] == 1


def yolox(side, num_classes):
    known = registry().find("yolox_nano")
    facts = {
        "config": {"depth": 0.33, "width": 0.125, "depthwise": True},
        "classifier": known.classifier,
        "head": known.head,
    }
    seen = known.input.model_copy(update={"size": side})
    return entry("object-detection", "yolox.yolox", num_classes=num_classes, input=seen, **facts)


KINDS = {
    "retinanet": lambda: detector("retinanet", 64, num_classes=1),
    "yolox": lambda: yolox(64, 1),
    "fcos": lambda: detector("fcos", 64, num_classes=1),
    "ssd": lambda: ssd(num_classes=2),
    "yolox above another encoder": lambda: detector("yolox", 64, num_classes=1),
}


# A training for each; the losses' own tests and the epoch that is kept are quick. Three take the longest.
LONGEST = {"retinanet", "ssd", "yolox"}


@pytest.mark.parametrize("kind", release_except(KINDS.keys() - LONGEST, KINDS))
def test_a_small_detector_learns(kind, tmp_path, monkeypatch):
    """One image, seen until its object is found; of YOLOX two, since its normalisation compares them."""
    _, (images, targets) = detection()
    if kind == "ssd":
        monkeypatch.setattr("zoo.architectures.ssd.FILTERS", (8, 16, 32, 64, 64))  # VGG16's, by eight
        targets = [{**target, "classes": [1]} for target in targets]
    is_yolox = kind.startswith("yolox")
    seen = 2 if is_yolox else 1
    data, held_out = ((images[:seen] * count, targets[:seen] * count) for count in (8 // seen, 2 // seen))
    described = KINDS[kind]()
    options = {**OPTIONS, "epochs": 15, "steps": None, "augment": None, "learning_rate": 0.01, "freeze": "none"}
    if kind == "ssd":
        options |= {"image_size": None, "learning_rate": 0.001, "epochs": 8}
    if is_yolox:
        options["learning_rate"] = 0.001
    if kind == "yolox":  # so small that each batch has to hold both
        data, options = held_out, {**options, "learning_rate": 0.003, "epochs": 60}
    run = zoo.finetune(built(described), data, validation_data=held_out, output_dir=tmp_path / "run", **options)
    assert min(run.history["loss"]) < 0.75 * run.history["loss"][0]
    if not is_yolox:  # its batch normalisation needs more steps before its averages are those of the images
        assert run.metrics["ap50_percent"] > 90
