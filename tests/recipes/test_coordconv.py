"""The recipe of CoordConv: stopped runs, and that each checkpoint scores what its report says."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from recipes import coordconv, coordconv_image, coordconv_training
from recipes.not_so_clevr import SPLITS, centres, split_centres, squares
from recipes.training_run import filled
from tests.marked_cases import first_of_each

CHECKPOINTS = Path(zoo.__file__).parent / "checkpoints"
SHIPPED = [
    (task, name, split) for task, module in coordconv.TASKS.items() for name in module.NETWORKS for split in SPLITS
]


def comparison_of(task, split="quadrant"):
    return json.loads((CHECKPOINTS / f"coordconv-{task}-{split}.json").read_text())["comparison"]


def row_of(name, split):
    return json.loads((CHECKPOINTS / f"{name}-{split}.json").read_text())["comparison"][f"{name}.{split}"]


def small():
    """Stands for a network in the test of the loop: one layer, quickly traced."""
    places = keras.Input((2,))
    return keras.Model(places, keras.layers.Dense(2)(places))


def noisy(places, generator):
    """Pairs that differ from round to round."""
    shuffled = generator.permutation(places).astype("float32")
    return shuffled / 64, shuffled


@pytest.mark.slow  # three trainings; test_blurnet.py and test_training_run.py have a quick one
def test_a_stopped_run_resumes_and_ends_like_an_unbroken_one(monkeypatch, unbroken_and_resumed):
    monkeypatch.setattr(coordconv_training, "ROUNDS_PER_STATE", 1)
    monkeypatch.setattr(coordconv_training, "split_centres", lambda split: (centres()[::70], None))
    network = coordconv_training.Network(small, small, noisy, keras.losses.MeanSquaredError, 3, jit_compile=False)
    (unbroken, _), (resumed, _) = unbroken_and_resumed(
        lambda state: coordconv_training.train(network, "quadrant", state)
    )
    for ours, theirs in zip(resumed.variables, unbroken.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("task", coordconv.TASKS)
def test_each_network_learns_the_variables_that_its_whole_has(task):
    for network in coordconv.TASKS[task].NETWORKS.values():
        learning = {variable.path: variable.shape for variable in network.learning().variables}
        assert {variable.path: variable.shape for variable in network.whole().variables} == learning


@pytest.mark.slow  # measures whole sets; test_blurnet.py and test_tcn.py have quick ones
@pytest.mark.parametrize(("task", "name", "split"), first_of_each(SHIPPED, lambda case: case[0]))
def test_the_checkpoint_scores_what_its_report_says(task, name, split):
    weights = CHECKPOINTS / f"{name}-{split}.safetensors"
    assert weights.stat().st_size < 500_000
    measured = coordconv.measure(task, name, split, weights)
    expected = row_of(name, split)
    assert measured.keys() == expected.keys()
    for key, value in expected.items():
        tolerance = 0.2 if "percent" in key else 0.01  # a pixel in percent, on another processor
        assert measured[key] == pytest.approx(value, abs=tolerance), key


@pytest.mark.parametrize(("task", "name", "split"), SHIPPED)
def test_the_registry_loads_the_same_network_and_repeats_what_was_measured(task, name, split):
    entry = zoo.info(f"{name}.{split}")
    row = row_of(name, split)
    measured = {key.replace("accuracy_", ""): value for key, value in entry.metrics.items()}
    assert measured == {key: row[f"test_{key}"] for key in measured}
    assert entry.parameters_millions == pytest.approx(row["parameters"] / 1e6, abs=1e-9)
    asked = split_centres(split)[1][::97]
    model, recipes = (
        zoo.load(entry.name),
        filled(coordconv.TASKS[task].NETWORKS[name].whole(), CHECKPOINTS / entry.filename),
    )
    if task == "regressor":
        canvases = squares(asked)[..., None]
        answers, expected = model.predict(255 * canvases, verbose=0), recipes.predict(canvases, verbose=0)
    else:
        asked = asked.astype("float32")
        answers, expected = model.predict(asked, verbose=0), recipes.predict(asked, verbose=0)
    np.testing.assert_allclose(answers, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("task", first_of_each(coordconv.TASKS))
def test_the_image_of_the_cards_shows_the_predictions(task):
    with Image.open(CHECKPOINTS.parent / "model_cards" / f"coordconv-{task}.png") as image:
        checked_in = np.asarray(image.convert("L"))
    drawn = np.asarray(coordconv_image.sheet(task))
    assert drawn.shape == checked_in.shape
    # Where two logits are all but equal, another processor may answer the other pixel.
    assert np.mean(drawn != checked_in) < 1e-3, "run: python -m recipes.coordconv_image"


def test_the_classifiers_show_the_point_of_the_paper():
    comparison = comparison_of("classifier")
    assert comparison["coordconv-classifier.quadrant"]["test_percent"] == 100
    assert comparison["coordconv-classifier.uniform"]["test_percent"] == 100
    assert comparison["coordconv-classifier.quadrant"]["parameters"] == 7_553
    assert comparison["deconv-classifier.quadrant"]["test_percent"] < 1
    assert comparison["deconv-classifier.quadrant"]["train_percent"] > 20  # it did learn what it saw
    assert comparison["deconv-classifier.uniform"]["test_percent"] <= 86


def test_the_renderers_show_the_point_of_the_paper():
    comparison = comparison_of("renderer")
    for split in SPLITS:
        assert comparison[f"coordconv-renderer.{split}"]["test_lowest_iou"] > 0.95
        assert (
            comparison[f"deconv-renderer.{split}"]["test_iou"] < comparison[f"coordconv-renderer.{split}"]["test_iou"]
        )
    plain = comparison["deconv-renderer.quadrant"]
    assert plain["test_iou"] < plain["train_iou"] / 2


def test_the_regressors_show_the_point_of_the_paper():
    comparison = comparison_of("regressor")
    for split in SPLITS:
        assert comparison[f"coordconv-regressor.{split}"]["test_largest_error_pixels"] < 0.5
    plain = comparison["conv-regressor.quadrant"]
    assert plain["test_mean_error_pixels"] > 5 * plain["train_mean_error_pixels"]
