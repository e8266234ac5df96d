"""What Keras and Python do with models keeps a ZooModel one, with its spec."""

import copy
import pickle

import keras
import numpy as np
import pytest

import zoo
from zoo.errors import ExportError
from zoo.export.exportable import exportable
from zoo.model import ZooModel
from zoo.weights.untrained import untrained

IMAGE = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3)).astype("uint8")


def outputs(model):
    return keras.tree.map_structure(keras.ops.convert_to_numpy, model(IMAGE, training=False))


def saved(suffix):
    def save_and_load(model, tmp_path):
        model.save(tmp_path / f"model{suffix}")
        return keras.saving.load_model(tmp_path / f"model{suffix}")

    return save_and_load


WAYS = {
    "pickle": lambda model, _: pickle.loads(pickle.dumps(model)),  # noqa: S301 (our own)
    "copy": lambda model, _: copy.copy(model),
    "deepcopy": lambda model, _: copy.deepcopy(model),
    "keras": saved(".keras"),
    "h5": saved(".h5"),
}


@pytest.fixture(scope="module")
def models():
    plain = zoo.load("blurnet-textures")
    named = ZooModel(plain.input, {"scores": plain.output, "map": plain.get_layer("relu3").output})
    named.spec = plain.spec
    return {"plain": plain, "pyramid": zoo.load("blurnet-textures", features=True), "named": named}


@pytest.mark.filterwarnings("ignore:.*HDF5")
@pytest.mark.parametrize("kind", ["plain", "pyramid", "named"])
@pytest.mark.parametrize("way", WAYS)
def test_a_copy_is_the_same_model(way, kind, models, tmp_path):
    model = models[kind]
    other = WAYS[way](model, tmp_path)
    assert type(other) is ZooModel
    assert other.spec == model.spec
    keras.tree.map_structure(np.testing.assert_array_equal, outputs(other), outputs(model))


@pytest.mark.parametrize("kind", ["plain", "pyramid", "named"])
def test_a_clone_keeps_the_spec_and_the_names_of_its_outputs(kind, models):
    clone = keras.models.clone_model(models[kind])
    assert type(clone) is ZooModel
    assert clone.spec == models[kind].spec
    clone.set_weights(models[kind].get_weights())
    keras.tree.map_structure(np.testing.assert_array_equal, outputs(clone), outputs(models[kind]))


def test_a_clones_new_weights_do_not_leave_until_they_are_set(models, tmp_path):
    model = models["plain"]
    clone = keras.models.clone_model(model)
    assert len(untrained(clone)) == 5
    with pytest.raises(ExportError, match="random weights"):
        exportable(clone, allow_random=False)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert untrained(clone) == []
    assert zoo.load(zoo.save(clone, tmp_path / "clone")).spec.random == "none"


def test_a_clone_that_reuses_the_layers_is_trained(models):
    clone = keras.models.clone_model(models["plain"], clone_function=lambda layer: layer)
    assert untrained(clone) == []


def test_a_part_of_a_model_is_a_plain_model(models):
    plain = models["plain"]
    part = keras.Model(plain.input, plain.get_layer("relu3").output)
    assert not isinstance(part, ZooModel)


def test_what_nobody_has_trained_is_named_at_load_and_once_by_predict(caplog):
    model = zoo.load("blurnet-textures", num_classes=3)
    assert "has layers that nobody has trained: fc." in caplog.text
    caplog.clear()
    zoo.predict(model, IMAGE[0])
    zoo.predict(model, IMAGE[0])
    assert caplog.text.count("has layers that nobody has trained: fc.") == 1
    model.get_layer("fc").kernel.assign_add(np.ones((64, 3)))
    caplog.clear()
    zoo.predict(model, IMAGE[0])
    assert not caplog.text


def test_as_many_classes_as_there_are_keep_the_head_unless_a_new_one_is_requested(caplog):
    same = zoo.load("blurnet-textures", num_classes=10)
    assert (same.spec.random, len(same.spec.labels)) == ("none", 10)
    assert not caplog.text
    new = zoo.load("blurnet-textures", new_head=True)
    assert (new.spec.random, new.spec.labels, new.spec.num_classes) == ("head", None, 10)


def test_a_typo_does_not_throw_away_the_head_of_a_file_of_ones_own(models, tmp_path):
    file = zoo.save(models["plain"], tmp_path / "mine") / "model.safetensors"
    with pytest.raises(
        zoo.InputError, match=r"head in .*\(fc\) has 10 classes. Expected num_classes=10; or pass new_head=True"
    ):
        zoo.load("blurnet-textures", weights=file, num_classes=11)
    assert zoo.load("blurnet-textures", weights=file, num_classes=11, new_head=True).spec.random == "head"
    assert zoo.load("blurnet-textures", weights=file, num_classes=10).spec.random == "none"


REBUILT = {
    "from_config": lambda model: ZooModel.from_config(model.get_config()),
    "json": lambda model: keras.models.model_from_json(model.to_json()),
    "copy of a clone": lambda model: pickle.loads(pickle.dumps(keras.models.clone_model(model))),  # noqa: S301
}


@pytest.mark.parametrize("way", REBUILT)
def test_a_model_that_was_rebuilt_without_its_weights_says_so_until_they_are_set(way, models, caplog, tmp_path):
    rebuilt = REBUILT[way](models["plain"])
    zoo.predict(rebuilt, IMAGE[0])
    assert "has layers that nobody has trained: conv1" in caplog.text
    with pytest.raises(ExportError, match="random weights"):
        exportable(REBUILT[way](models["plain"]), allow_random=False)
    rebuilt.set_weights(models["plain"].get_weights())
    assert untrained(rebuilt) == []


@pytest.mark.parametrize("name", ["fcn32s-small", "segnet-basic", "sparseconvnet", "pconv-unet", "coordconv-renderer"])
def test_copies_of_trained_models_are_trained(name):
    assert untrained(copy.deepcopy(zoo.load(name))) == []


@pytest.mark.parametrize("call", [lambda model, _: zoo.predict(model, IMAGE[0]), zoo.save, zoo.evaluate])
def test_a_model_without_a_spec_is_one_error(call, models, tmp_path):
    plain = models["plain"]
    with pytest.raises(zoo.InputError, match=r"has no spec.*Expected one from zoo.load"):
        call(ZooModel(plain.input, plain.output), tmp_path / "new")
