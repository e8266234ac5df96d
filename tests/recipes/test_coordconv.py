"""The recipe of CoordConv: what it trains on, stopped runs, and that each checkpoint scores what its report says."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from recipes import coordconv, coordconv_picture
from recipes.not_so_clevr import CANVAS, SPLITS, centres, pixel_indices, split_centres

# Keras 3.15 with NumPy 2.4, when it saves variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
CHECKPOINTS = Path(zoo.__file__).parent / "checkpoints"
SHIPPED = [(name, split) for name in coordconv.NETWORKS for split in SPLITS]


def report_of(name, split):
    return json.loads((CHECKPOINTS / f"{name}-{split}.json").read_text())


def test_the_right_pixel_comes_first_and_only_once():
    places = centres()[::50]
    features, targets = coordconv.candidates(places, np.random.default_rng(0))
    assert features.shape == (len(places), coordconv.CANDIDATES, 1, 4)
    assert not targets.any()
    pixels = np.rint((features[:, :, 0] + 1) * (CANVAS - 1) / 2).astype(int)
    wanted, found = pixels[..., :2], pixels[..., :1:-1]  # x, y; then y, x
    assert (wanted == wanted[:, :1]).all()
    assert sorted(map(tuple, wanted[:, 0])) == sorted(map(tuple, places))
    is_right = (found == wanted).all(axis=-1)
    assert is_right[:, 0].all()
    assert not is_right[:, 1:].any()
    assert (pixels.min(), pixels.max()) == (0, CANVAS - 1)


def test_the_part_that_learns_sees_the_pixels_as_the_whole_network_does():
    network = coordconv.NETWORKS["coordconv-classifier"]
    whole, part = network.whole(), network.learning()
    for variable in whole.variables:
        variable.assign({ours.path: ours for ours in part.variables}[variable.path])
    places = np.array([[40, 12], [5, 50]])
    features, _ = network.draw(places, np.random.default_rng(0))
    places = np.rint((features[:, 0, 0, :2] + 1) * (CANVAS - 1) / 2)
    pixels = np.rint((features[:, :, 0, :1:-1] + 1) * (CANVAS - 1) / 2).astype(int)
    canvases = np.asarray(whole(places)).reshape(2, -1)
    indices = np.stack([pixel_indices(row) for row in pixels])
    expected = np.take_along_axis(canvases, indices, axis=1)
    np.testing.assert_allclose(np.asarray(part(features)), expected, atol=1e-4)


def small():
    """Stands for a network in the test of the loop: one layer, quickly traced."""
    pixels = keras.Input((coordconv.CANDIDATES, 1, 4))
    return keras.Model(pixels, keras.layers.Dense(coordconv.CANDIDATES)(keras.layers.Flatten()(pixels)))


def test_a_stopped_run_goes_on_and_ends_like_an_unbroken_one(tmp_path, monkeypatch):
    monkeypatch.setattr(coordconv, "ROUNDS_PER_STATE", 1)
    monkeypatch.setattr(coordconv, "JIT_COMPILE", False)  # three times longer than the training
    monkeypatch.setattr(coordconv, "split_centres", lambda split: (centres()[::70], None))
    network = coordconv.NETWORKS["coordconv-classifier"]._replace(rounds=3, learning=small)
    unbroken, _ = coordconv.train(network, "quadrant", tmp_path / "unbroken.keras")
    whole_range = range
    monkeypatch.setattr(coordconv, "range", lambda start, stop: whole_range(start, 1), raising=False)
    coordconv.train(network, "quadrant", tmp_path / "stopped.keras")
    monkeypatch.setattr(coordconv, "range", whole_range, raising=False)
    resumed, _ = coordconv.train(network, "quadrant", tmp_path / "stopped.keras")
    for ours, theirs in zip(resumed.trainable_variables, unbroken.trainable_variables, strict=True):
        np.testing.assert_allclose(np.array(ours), np.array(theirs), atol=1e-6)


@pytest.mark.parametrize(("name", "split"), SHIPPED)
def test_the_checkpoint_scores_what_its_report_says(name, split):
    row = report_of(name, split)["comparison"][f"{name}.{split}"]
    weights = CHECKPOINTS / f"{name}-{split}.safetensors"
    assert weights.stat().st_size < 500_000
    assert coordconv.measure(name, split, weights) == pytest.approx(row, abs=0.2)  # a pixel, on another processor


@pytest.mark.parametrize(("name", "split"), SHIPPED)
def test_the_registry_loads_the_same_network_and_repeats_what_was_measured(name, split):
    entry = zoo.info(f"{name}.{split}")
    row = report_of(name, split)["comparison"][entry.name]
    assert entry.metrics == {"accuracy_percent": row["test_percent"]}
    asked = split_centres(split)[1][::97].astype("float32")
    recipes = coordconv.filled(coordconv.NETWORKS[name], CHECKPOINTS / entry.filename)
    np.testing.assert_allclose(zoo.load(entry.name).predict(asked, verbose=0), recipes.predict(asked, verbose=0))


def test_the_picture_of_the_cards_is_what_the_models_answer():
    with Image.open(CHECKPOINTS.parent / "model_cards" / "coordconv-classifier.png") as picture:
        checked_in = np.asarray(picture.convert("L"))
    drawn = np.asarray(coordconv_picture.sheet())
    assert drawn.shape == checked_in.shape
    # Where two logits are all but equal, another processor may answer the other pixel.
    assert np.mean(drawn != checked_in) < 1e-3, "run: python -m recipes.coordconv_picture"


def test_the_twins_show_the_point_of_the_paper():
    comparison = report_of("coordconv-classifier", "quadrant")["comparison"]
    assert comparison["coordconv-classifier.quadrant"]["test_percent"] == 100
    assert comparison["coordconv-classifier.uniform"]["test_percent"] == 100
    assert comparison["coordconv-classifier.quadrant"]["parameters"] == 7_553
    assert comparison["deconv-classifier.quadrant"]["test_percent"] < 1
    assert comparison["deconv-classifier.quadrant"]["train_percent"] > 20  # it did learn what it saw
    assert comparison["deconv-classifier.uniform"]["test_percent"] <= 86
