"""The head is fitted first, and no run ends below it."""

import json
import logging
import shutil

import keras
import numpy as np
import pytest

import zoo
from tests.training.photographs import write_photographs
from zoo.errors import PublishError
from zoo.training.batches import Batches
from zoo.training.examples import Examples
from zoo.training.linear_head import fit_linear_head
from zoo.training.plan import automatic_batch_size, automatic_epochs, phases
from zoo.training.probe import backbone, features, fit_probe, linear_layer
from zoo.training.state import State
from zoo.training.trainers import find_trainer


@pytest.fixture(scope="module")
def ruined(tmp_path_factory):
    """A run at a rate that spoils every weight."""
    root = tmp_path_factory.mktemp("ruined")
    photographs = write_photographs(root / "photographs", {"blue": 15, "green": 15, "red": 15}, side=8)
    return zoo.finetune(
        "blurnet-textures", photographs, epochs=2, learning_rate=5.0, batch_size=8, output_dir=root / "run"
    )


@pytest.mark.slow  # trains
def test_a_run_that_learns_nothing_ends_as_its_probe(ruined):
    assert ruined.metrics["top1_percent"] == ruined.metrics["probe"]["top1_percent"] == 100
    assert json.loads((ruined.folder / "run.json").read_text())["best_epoch"] is None
    base = {weight.path: weight for weight in zoo.load("blurnet-textures").weights}
    for weight in ruined.model.weights:
        if not weight.path.startswith("fc/"):
            np.testing.assert_array_equal(weight, base[weight.path])


def test_a_head_that_is_kept_alone_has_learned_from_all_examples(ruined):
    photographs = sorted((ruined.folder.parent / "photographs").rglob("*.png"))
    labels = sorted({path.parent.name for path in photographs})
    numbers = [labels.index(path.parent.name) for path in photographs]
    network = zoo.load("blurnet-textures", num_classes=0)
    images = network_input(network, photographs)
    found = np.asarray(network(images))
    both = np.concatenate([found, np.asarray(network(images[:, :, ::-1]))])
    fitted = fit_linear_head("softmax", both, np.eye(3)[numbers * 2], views=2, seed=0)
    logits = np.asarray(ruined.model(network_input(ruined.model, photographs)))
    np.testing.assert_allclose(softmax(logits), softmax(fitted(found)), atol=2e-3)
    record = json.loads((ruined.folder / "run.json").read_text())
    assert record["kept"] == "the fitted head alone, fitted again to all 45 examples"


def network_input(model, images):
    return np.stack([model.preprocess(image) for image in images])


def softmax(logits):
    return np.asarray(keras.ops.softmax(logits))


@pytest.mark.slow  # trains
def test_validation_data_of_ones_own_are_not_trained_on(tmp_path):
    photographs = write_photographs(tmp_path / "photographs", {"blue": 4, "red": 4}, side=8)
    data = {"validation_data": write_photographs(tmp_path / "others", {"blue": 2, "red": 2}, side=8)}
    options = {"epochs": 1, "learning_rate": 5.0, "batch_size": 4, "output_dir": tmp_path / "run"}
    run = zoo.finetune("blurnet-textures", photographs, **data, **options)
    assert json.loads((run.folder / "run.json").read_text())["kept"] == "the fitted head alone"


def test_it_takes_two_examples_more_to_replace_a_head_that_will_learn_from_all(tmp_path):
    state = State(tmp_path, {})
    state.record_probe({"val_accuracy": 0.8, "val_loss": 0.5}, {}, "accuracy", lead=1.5 / 10)
    assert not state.record({"val_accuracy": 0.9, "val_loss": 0.1}, "accuracy")
    assert state.record({"val_accuracy": 1.0, "val_loss": 0.4}, "accuracy")
    assert not state.record({"val_accuracy": 1.0, "val_loss": 0.5}, "accuracy")


@pytest.mark.slow  # trains twice
def test_a_model_that_is_trained_further_on_few_images_keeps_its_statistics_and_never_ends_below(tmp_path):
    generator = np.random.default_rng(0)
    brightness = generator.integers(20, 230, 24)
    images = np.stack([np.full((16, 16, 3), value, "uint8") for value in brightness])
    data, options = (images, brightness / 255), {"batch_size": 4, "problem_type": "regression", "augment": None}
    first = zoo.finetune("blurnet-textures", data, epochs=1, output_dir=tmp_path / "first", **options)
    again = zoo.finetune(first.model, data, learning_rate=0.1, epochs=2, output_dir=tmp_path / "again", **options)
    assert again.metrics["probe"]["r2"] == pytest.approx(first.metrics["r2"], abs=1e-4)  # that head was fitted again
    assert again.metrics["r2"] >= again.metrics["probe"]["r2"] > 0.9
    known = {weight.path: weight for weight in first.model.weights}
    moving = [weight for weight in again.model.weights if "moving" in weight.path]
    assert moving
    for weight in moving:
        np.testing.assert_array_equal(weight, known[weight.path])


def test_a_finished_run_still_knows_its_probe(ruined):
    options = {"epochs": 2, "learning_rate": 5.0, "batch_size": 8, "output_dir": ruined.folder}
    again = zoo.finetune("blurnet-textures", ruined.folder.parent / "photographs", **options)
    assert again.metrics == ruined.metrics


def test_the_probe_is_fitted_to_what_is_evaluated_and_to_its_mirror_image():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (6, 8, 10, 3), "uint8")
    model = zoo.load("blurnet-textures", num_classes=2)
    trainer = find_trainer("image-classification")
    examples = Examples(tuple((image, index % 2) for index, image in enumerate(images)))
    batches = Batches(trainer, model.spec, examples, (8, 10, 3), 4, seed=0, augment="light")
    network = backbone(model)
    found = features(network, batches.unshuffled(6, 0), mirrored=True)
    np.testing.assert_allclose(found.values[:6], network(images), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.values[6:], network(images[:, :, ::-1]), rtol=1e-4, atol=1e-5)
    assert found.targets.tolist() == [0, 1] * 6
    fit_probe(model, network, batches, "softmax", None, 0)
    # logits that have been fitted, of a bias that is not penalised, are right in the mean
    scores = np.asarray(keras.ops.softmax(model(np.concatenate([images, images[:, :, ::-1]]))))
    np.testing.assert_allclose(scores.mean(axis=0), [0.5, 0.5], atol=1e-3)
    assert len(batches.unshuffled(4, 0).examples.items) == 4


def test_heads_other_than_one_linear_layer_are_not_fitted():
    assert linear_layer(zoo.load("blurnet-textures")).name == "fc"
    assert linear_layer(zoo.load("segnet-basic")) is None
    assert linear_layer(zoo.load("fcn16s-small")) is None


def test_small_data_take_small_batches_many_steps_and_leave_half_of_the_layers():
    model = zoo.load("blurnet-textures", num_classes=3)
    assert [automatic_batch_size(model, count, has_probe=True) for count in (3, 8, 244, 5000)] == [2, 4, 8, 32]
    assert automatic_epochs(244, 8, has_probe=True) == (2, 1)
    assert automatic_epochs(8, 4, has_probe=True) == (2, 15)
    assert automatic_epochs(5000, 32, has_probe=True) == (10, 1)
    assert automatic_epochs(8, 4, has_probe=False) == (10, 1)
    options = {"freeze": "auto", "epochs": 3, "learning_rate": "auto", "has_probe": True}
    (part,) = phases(model, **options, batch_size=8, is_small=True)
    assert part.trained == ("conv3", "conv4", "fc")
    assert part.learning_rate == pytest.approx(1e-5)
    (part,) = phases(model, **options, batch_size=32)
    assert (part.learning_rate, len(part.trained)) == (1e-4, 9)
    (part,) = phases(model, **{**options, "freeze": "none"}, batch_size=32, is_small=True)
    assert part.trained == ("conv1", "conv2", "conv3", "conv4", "fc")


def test_an_epoch_of_several_passes_sees_all_of_them_in_another_order_each_time():
    images = [np.full((2, 2, 3), value, "uint8") for value in range(7)]
    trainer, spec = find_trainer("image-classification"), zoo.info("blurnet-textures")
    examples = Examples(tuple((image, index) for index, image in enumerate(images)))
    batches = Batches(trainer, spec, examples, (2, 2, 3), 2, seed=0, passes=3)
    assert len(batches) == 9
    seen = [batches[index][1].tolist() for index in range(9)]
    passes = [[label for batch in seen[start : start + 3] for label in batch] for start in (0, 3, 6)]
    assert all(len(set(one)) == 6 for one in passes)
    assert passes[0] != passes[1] != passes[2]
    batches.epoch = 1
    assert [batches[index][1].tolist() for index in range(9)] != seen


@pytest.fixture(scope="module")
def poor(tmp_path_factory):
    """A run whose validation images are each in the folder of the other class."""
    root = tmp_path_factory.mktemp("poor")
    write_photographs(root / "data" / "train", {"blue": 5, "red": 5}, side=8)
    val = write_photographs(root / "data" / "val", {"red": 3, "blue": 3}, side=8)
    for name, other in (("red", "kept"), ("blue", "red"), ("kept", "blue")):
        (val / name).rename(val / other)
    data = root / "data"
    log = logging.getLogger("zoo")
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    log.addHandler(handler)
    try:
        run = zoo.finetune("blurnet-textures", data, epochs=1, batch_size=4, output_dir=root / "run")
    finally:
        log.removeHandler(handler)
    return run, records


@pytest.mark.slow  # trains
def test_a_run_no_better_than_guessing_says_so(poor):
    run, records = poor
    assert run.metrics["top1_percent"] <= 50
    assert any("no better than guessing" in record for record in records)
    assert "50 % would be if all were called" in json.loads((run.folder / "run.json").read_text())["poor"]


@pytest.mark.slow  # trains
def test_a_run_no_better_than_guessing_is_not_published_by_accident(poor, tmp_path):
    folder = shutil.copytree(poor[0].folder, tmp_path / "run")
    with pytest.raises(PublishError, match=r"no better than guessing.*allow_poor=True"):
        zoo.publish(folder, "me/mine", license="apache-2.0", token="hf_x")
