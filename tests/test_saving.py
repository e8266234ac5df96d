"""`zoo.save`: what is in the folder, what comes back, and what is refused."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import zoo
from tests.hub_server.server import PROJECT
from zoo.errors import AccessError, InputError, PublishError
from zoo.export.exportable import reference_outputs, samples
from zoo.model import ZooModel

IMAGES = np.zeros((4, 32, 32, 3), "uint8"), [0, 1, 2, 0]
FILES = ["README.md", "config.json", "metadata.json", "model.safetensors", "model.weights.h5", "zoo.json"]


def same_answers(model, other):
    inputs = samples(model, 2)
    expected, actual = reference_outputs(model, inputs), reference_outputs(other, inputs)
    return all(np.array_equal(expected[name], actual[name]) for name in expected) and expected.keys() == actual.keys()


def test_the_folder_gives_back_outputs_labels_and_preprocessing(classifier, tmp_path):
    folder = zoo.save(classifier, tmp_path / "mine")
    assert sorted(path.name for path in folder.iterdir()) == FILES
    loaded = zoo.load(folder)
    assert same_answers(classifier, loaded)
    assert loaded.spec.labels == ("red", "green", "blue")
    assert loaded.spec.input == classifier.spec.input
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3)).astype("uint8")
    np.testing.assert_array_equal(loaded.preprocess(image), classifier.preprocess(image))
    assert zoo.predict(loaded, image)[0]["predictions"] == zoo.predict(classifier, image)[0]["predictions"]


def test_the_spec_says_what_it_began_with_and_keeps_no_metrics_of_other_weights(classifier, tmp_path):
    spec = zoo.load(zoo.save(classifier, tmp_path / "mine")).spec
    assert spec.name == "mine"
    assert (spec.base.name, spec.base.source, spec.base.revision, spec.base.license) == (
        "resnet10t.c3_in1k",
        "hf://timm/resnet10t.c3_in1k",
        "a" * 40,
        "apache-2.0",
    )
    assert (spec.source, spec.tag, spec.metrics, spec.measured) == (None, None, {}, None)
    assert spec.parameters_millions == pytest.approx(classifier.count_params() / 1e6, rel=0.02)


def test_the_figures_stay_while_the_weights_are_the_same(tmp_path):
    model = zoo.load("espcn-x2")
    assert zoo.load(zoo.save(model, tmp_path / "same")).spec.metrics == model.spec.metrics
    model.get_layer("feature-conv1").bias.assign_add(np.full(64, 0.1))
    assert zoo.load(zoo.save(model, tmp_path / "other")).spec.metrics == {}


@pytest.mark.parametrize("name", ["espcn-x2", "tcn-co2", "coordconv-classifier", "deconv-classifier"])
def test_every_kind_of_input_comes_back(name, tmp_path):
    model = zoo.load(name)
    assert same_answers(model, zoo.load(zoo.save(model, tmp_path / "model")))


@pytest.mark.slow  # as the models around it
def test_grey_images_and_feature_pyramids_come_back(tmp_path):
    grey = zoo.load("resnet10t", weights=None, in_channels=1, num_classes=0)
    loaded = zoo.load(zoo.save(grey, tmp_path / "grey"))
    assert loaded.input_shape == (None, None, None, 1)
    assert same_answers(grey, loaded)
    pyramid = zoo.load("resnet10t", weights=None, features=True)
    loaded = zoo.load(zoo.save(pyramid, tmp_path / "pyramid"))
    assert list(loaded.output) == [2, 4, 8, 16, 32]
    assert same_answers(pyramid, loaded)


def test_keras_reads_it(classifier, tmp_path):
    read, inputs = keras.saving.load_model(zoo.save(classifier, tmp_path / "plain")), samples(classifier, 1)
    np.testing.assert_allclose(
        read.predict(inputs, verbose=0), reference_outputs(classifier, inputs)["output"], rtol=1e-4, atol=1e-5
    )


@pytest.mark.slow  # another process
def test_plain_keras_reads_it_where_at_most_our_layers_are_imported(classifier, tmp_path):
    plain = zoo.save(classifier, tmp_path / "plain")
    layers = zoo.save(zoo.load("coordconv-classifier"), tmp_path / "layers")
    inputs = samples(classifier, 1)
    np.save(tmp_path / "inputs.npy", inputs)
    code = f"""
import keras, numpy as np, sys
model = keras.saving.load_model({str(plain)!r})
np.save({str(tmp_path / "outputs.npy")!r}, model.predict(np.load({str(tmp_path / "inputs.npy")!r}), verbose=0))
assert "zoo" not in sys.modules
import zoo.layers
print(keras.saving.load_model({str(layers)!r}).count_params())
"""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    np.testing.assert_allclose(
        np.load(tmp_path / "outputs.npy"), reference_outputs(classifier, inputs)["output"], rtol=1e-4, atol=1e-5
    )
    assert int(done.stdout.split()[-1]) == 7553


@pytest.mark.parametrize("name", ["blurnet-textures", "coordconv-regressor"])  # its file is of float16, of float32
def test_an_embedded_model_keeps_its_metrics_until_it_changes(name, tmp_path):
    model, known = zoo.load(name), zoo.info(name)
    saved = zoo.info(zoo.save(model, tmp_path / "same"))
    assert known.metrics
    assert (saved.metrics, saved.measured) == (known.metrics, known.measured)
    model.weights[0].assign_add(np.full(model.weights[0].shape, 0.01))
    assert zoo.info(zoo.save(model, tmp_path / "changed")).metrics == {}


@pytest.mark.slow  # trains
def test_a_model_that_was_compiled_and_fitted_is_saved_without_its_optimizer(classifier, tmp_path):
    plain = zoo.save(classifier, tmp_path / "plain") / "model.weights.h5"
    classifier.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    classifier.fit(np.zeros((2, 32, 32, 3)), np.array([0, 2]), verbose=0)
    folder = zoo.save(classifier, tmp_path / "fitted")
    assert same_answers(classifier, zoo.load(folder))
    assert (folder / "model.weights.h5").stat().st_size == plain.stat().st_size
    assert not keras.saving.load_model(folder).compiled


def test_the_card_names_the_base_and_its_licence(classifier, tmp_path):
    card = (zoo.save(classifier, tmp_path / "mine") / "README.md").read_text()
    assert "base_model: timm/resnet10t.c3_in1k" in card
    assert (
        f"began as those of [resnet10t.c3_in1k](https://huggingface.co/timm/resnet10t.c3_in1k) at `{'a' * 40}`" in card
    )
    assert "licence apache-2.0" in card
    assert "`model.safetensors`, beside this card" in card
    assert "Classes: red, green, blue" in card


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_nothing_of_the_users_is_replaced(classifier, tmp_path, kind):
    target = tmp_path / "mine"
    if kind == "folder":
        target.mkdir()
    mine = target if kind == "file" else target / "notes.txt"
    mine.write_text("mine")
    with pytest.raises(InputError, match=r"exists\. Expected a new folder"):
        zoo.save(classifier, target)
    assert mine.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("policies", [("mixed_bfloat16", "float32"), ("float32", "mixed_bfloat16")])
def test_a_model_is_saved_whatever_policy_holds_by_then(policies, tmp_path):
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(policies[0])
        model = zoo.load("blurnet-textures")
        keras.config.set_dtype_policy(policies[1])
        folder = zoo.save(model, tmp_path / "mine")
    finally:
        keras.config.set_dtype_policy(before)
    for weight, saved in zip(model.weights, zoo.load(folder).weights, strict=True):
        np.testing.assert_array_equal(weight, saved)


def test_what_cannot_be_saved_leaves_nothing(classifier, tmp_path):
    head = classifier.get_layer("fc")
    head.kernel.assign(np.full(head.kernel.shape, np.nan))
    with pytest.raises(PublishError, match="outputs NaN or infinity"):
        zoo.save(classifier, tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_its_spec_does_not_describe_is_refused(classifier, tmp_path):
    changed = ZooModel(classifier.input, 2 * classifier.output)
    changed.spec = classifier.spec
    with pytest.raises(PublishError, match="has other outputs once it is saved and loaded"):
        zoo.save(changed, tmp_path / "mine")


def test_only_models_of_the_zoo_are_saved(tmp_path):
    with pytest.raises(InputError, match=r"The model is a Sequential\. Expected one from zoo\.load"):
        zoo.save(keras.Sequential([keras.layers.Dense(1)]), tmp_path / "mine")


@pytest.mark.parametrize("name", ["a" * 300, "nul\0l", "/proc/folder", "/dev/null/folder"])
def test_a_folder_that_no_disk_takes_is_one_error(name, classifier, tmp_path):
    for write in (zoo.save, lambda model, folder: zoo.finetune(model, IMAGES, epochs=1, output_dir=folder)):
        with pytest.raises(AccessError if "\0" not in name else InputError, match=r"cannot be written|NUL character"):
            write(classifier, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_the_folders_is_an_access_error(classifier, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AccessError, match="cannot be written"):
        zoo.save(classifier, tmp_path / "file" / "mine")
