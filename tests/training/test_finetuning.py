"""What a person gets who fine-tunes on a folder of photographs."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.errors import InputError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    from tests.training.photographs import write_photographs

    root = tmp_path_factory.mktemp("run")
    photographs = write_photographs(root / "photographs", {"blue": 10, "green": 10, "red": 6})
    return zoo.finetune(
        "blurnet-textures", photographs, epochs=6, batch_size=4, learning_rate=0.02, output_dir=root / "out"
    )


def test_the_classes_are_the_folders_and_are_learned(run):
    assert run.model.spec.labels == ("blue", "green", "red")
    assert run.model.spec.num_classes == 3
    assert run.metrics["top1_percent"] == 100
    assert run.metrics["class_percent"] == {"blue": 100, "green": 100, "red": 100}
    image = np.full((16, 16, 3), (200, 60, 40), "uint8")
    assert zoo.predict(run.model, image)[0]["predictions"][0]["label"] == "red"


def test_the_trained_model_knows_its_base(run):
    spec = run.model.spec
    assert (spec.random, spec.source, spec.base.name) == ("none", None, "blurnet-textures.grey")
    assert spec.metrics["top1_percent"] == 100
    assert "validation" in spec.measured.dataset
    record = json.loads((run.folder / "run.json").read_text())
    assert record["base"]["name"] == "blurnet-textures.grey"
    assert record["history"] == run.history
    assert record["data"] == "photographs: 21 training examples, 5 validation examples"
    assert record["command"] == (
        "zoo.finetune('blurnet-textures', '.../photographs', epochs=6, batch_size=4, learning_rate=0.02, "
        "output_dir='.../out')"
    )


def test_the_folder_of_a_run_is_a_model(run):
    loaded = zoo.load(str(run.folder))
    image = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), "uint8")
    np.testing.assert_array_equal(loaded(image), run.model(image))
    assert loaded.spec.labels == run.model.spec.labels


def test_the_images_and_the_log_of_a_run_are_there(run):
    for name in ("history.png", "confusion.png"):
        with Image.open(run.folder / name) as image:
            assert min(image.size) > 100
    assert list((run.folder / "logs").rglob("events.out.tfevents.*"))
    assert not (run.folder / "state").exists()


def test_the_same_command_again_gives_the_run_that_is_there(run, tmp_path):
    before = (run.folder / "run.json").stat().st_mtime_ns
    again = zoo.finetune(
        "blurnet-textures",
        run.folder.parent / "photographs",
        epochs=6,
        batch_size=4,
        learning_rate=0.02,
        output_dir=run.folder,
    )
    assert again.history == run.history
    assert (run.folder / "run.json").stat().st_mtime_ns == before


def test_another_command_does_not_resume_the_run_that_is_there(run):
    with pytest.raises(InputError, match=r"contains another run: .*plan.batch_size"):
        zoo.finetune(
            "blurnet-textures",
            run.folder.parent / "photographs",
            epochs=6,
            batch_size=8,
            learning_rate=0.02,
            output_dir=run.folder,
        )


@pytest.mark.slow  # trains
def test_a_model_that_is_handed_over_and_a_frozen_backbone_stay_as_they_are(photographs, tmp_path):
    model = zoo.load("blurnet-textures")
    before = {weight.path: keras.ops.convert_to_numpy(weight) for weight in model.weights}
    run = zoo.finetune(model, photographs, epochs=2, freeze="backbone", output_dir=tmp_path / "run")
    assert model.spec.num_classes == 10
    assert run.model.spec.num_classes == 3
    for weight in model.weights:
        np.testing.assert_array_equal(weight, before[weight.path])
    same = {weight.path for weight in run.model.weights if np.array_equal(weight, before[weight.path])}
    assert {weight.path for weight in run.model.weights} - same == {"fc/kernel", "fc/bias"}


@pytest.mark.slow  # many epochs; test_plan.py has the rule
def test_a_run_without_a_better_epoch_ends_early_and_keeps_the_most_accurate(tmp_path):
    generator = np.random.default_rng(0)
    images, classes = generator.integers(0, 256, (24, 8, 8, 3), "uint8"), np.arange(24) % 2  # nothing to be learned
    run = zoo.finetune(
        "blurnet-textures",
        (images, classes),
        epochs=15,
        learning_rate=5.0,
        augment=None,
        output_dir=tmp_path / "run",
    )
    accuracies = run.history["val_accuracy"]
    assert len(accuracies) < 15
    best = max(*accuracies, run.metrics["probe"]["top1_percent"] / 100)
    assert run.metrics["top1_percent"] >= round(100 * best, 2)
    assert json.loads((run.folder / "run.json").read_text())["best_epoch"] in (None, *range(len(accuracies)))


@pytest.mark.slow  # trains
def test_a_dataset_of_batches_teaches_the_head_that_the_model_has(tmp_path):
    import tensorflow as tf

    images = np.repeat(np.array([[[[250, 20, 20]]], [[[20, 20, 250]]]], "uint8"), 8, axis=1).repeat(8, axis=2)
    batches = tf.data.Dataset.from_tensor_slices((np.tile(images, (8, 1, 1, 1)), np.tile([0, 1], 8))).batch(4)
    keras.utils.set_random_seed(0)
    model = zoo.load("blurnet-textures", num_classes=2)
    options = {"validation_data": batches, "epochs": 4, "learning_rate": 0.05, "freeze": "backbone"}
    run = zoo.finetune(model, batches, output_dir=tmp_path / "run", **options)
    assert run.metrics["top1_percent"] == 100
    assert run.model.spec.random == "none"


def test_a_saved_model_is_not_a_place_for_a_run(photographs, tmp_path):
    zoo.save(zoo.load("blurnet-textures"), tmp_path / "mine")
    for resume in (True, False):
        with pytest.raises(InputError, match=r"contains a model that zoo\.finetune did not write"):
            zoo.finetune("blurnet-textures", photographs, output_dir=tmp_path / "mine", resume=resume)
    assert zoo.load(str(tmp_path / "mine")).spec.num_classes == 10


@pytest.mark.slow  # two trainings; test_runs.py has what resumes
def test_a_run_starts_over_on_request(photographs, tmp_path):
    options = {"epochs": 1, "freeze": "backbone", "resume": False, "output_dir": tmp_path / "run"}
    first, second = (zoo.finetune("blurnet-textures", photographs, seed=seed, **options) for seed in (0, 1))
    assert first.history != second.history
    assert json.loads((second.folder / "run.json").read_text())["settings"]["seed"] == 1


@pytest.mark.slow  # trains
def test_a_run_that_ends_early_says_so_and_which_epoch_it_keeps(tmp_path, caplog):
    images = list(np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3)).astype("uint8"))
    zoo.finetune("espcn-x2", images, output_dir=tmp_path / "run", epochs=6, learning_rate=1e-12)
    assert "stopped after epoch 4 of 6, since the last 3 were not better. Epoch 1 is kept" in caplog.text
