"""When a model that began with random weights counts as trained."""

import keras
import numpy as np
import pytest

import zoo
from zoo.errors import ExportError
from zoo.export.exportable import exportable
from zoo.weights.untrained import mark_trained, untrained


@pytest.fixture
def model():
    """A network with random weights everywhere, small."""
    keras.utils.set_random_seed(0)
    return zoo.load("espcn-x2", weights=None)


def train(model):
    """Two steps: the last layer begins with zeros, so the first one does not reach the others."""
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    generator = np.random.default_rng(0)
    model.fit(generator.random((1, 6, 6, 3)), generator.random((1, 12, 12, 3)), epochs=2, verbose=0)


def test_random_weights_are_untrained_until_each_of_them_was_trained(model):
    assert untrained(model) == ["feature-conv1/kernel", "feature-conv2/kernel"]  # biases and the last layer are 0
    with pytest.raises(ExportError, match="random weights"):
        exportable(model, allow_random=False)
    train(model)
    assert untrained(model) == []
    assert exportable(model, allow_random=False).spec.random == "none"
    assert model.spec.initial_weights == {}


def test_what_was_frozen_while_the_rest_was_trained_stays_untrained(model):
    model.get_layer("feature-conv1").trainable = False
    train(model)
    assert untrained(model) == ["feature-conv1/kernel"]
    mark_trained(model)
    assert model.spec.random == "all"


def test_saving_and_loading_is_not_training(model, tmp_path):
    model.save(tmp_path / "model.keras")
    folder = zoo.save(model, tmp_path / "folder")
    for loaded in (zoo.load(tmp_path / "model.keras"), zoo.load(folder)):
        assert untrained(loaded) == untrained(model)
        train(loaded)
        assert untrained(loaded) == []


def test_only_the_new_head_is_watched_where_the_rest_was_filled(classifier, tmp_path):
    model = zoo.load(zoo.save(classifier, tmp_path / "three"), num_classes=2)
    assert model.spec.random == "head"
    assert untrained(model) == ["fc/kernel"]
    model.get_layer("fc").kernel.assign_add(np.ones(model.get_layer("fc").kernel.shape))
    mark_trained(model)
    assert model.spec.random == "none"


def test_a_filled_model_is_never_untrained():
    assert untrained(zoo.load("espcn-x2")) == []


def test_random_weights_without_fingerprints_are_not_trusted(model):
    train(model)
    model.spec = model.spec.model_copy(update={"initial_weights": {}})
    assert len(untrained(model)) == len(model.weights)
