"""SavedModels: used by programs that know nothing of this library, and refused where they would mislead."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
import zoo.export
from tests.export.conftest import run_snippet
from tests.marked_cases import slow_except
from zoo.errors import AccessError, ExportError, InputError
from zoo.export.variants import in_bfloat16

QUICK = ("super-resolution", "image-classification")
TASKS = (*QUICK, "image-features", "semantic-segmentation", "volume-features")
SCORES = ("scores", "classes", "indices", "probabilities")


def record(path):
    return json.loads((path / "assets.extra" / "export.json").read_text())


def test_a_server_gets_classes_and_pixels(saved_models, classifier):
    """With TensorFlow alone, but in this process; the tests with `found` have one that cannot import this library."""
    with np.load(saved_models("image-classification") / "assets.extra" / "verification.npz") as arrays:
        images = tf.constant(arrays["inputs"])
    files = tf.stack([tf.io.encode_png(image) for image in images])
    loaded = tf.saved_model.load(str(saved_models("image-classification")))
    assert len(loaded.trainable_variables) == len(classifier.trainable_variables)
    signatures = loaded.signatures
    for answer in (signatures["serving_uint8"](image=images), signatures["encoded"](image_bytes=files)):
        assert {name: tuple(value.shape) for name, value in answer.items()} == dict.fromkeys(SCORES, (2, 3))
        assert {name.decode() for name in answer["classes"].numpy().flat} == {"red", "green", "blue"}
    enlarged = tf.saved_model.load(str(saved_models("super-resolution")))
    assert enlarged(tf.zeros((1, 4, 5, 3), tf.uint8)).shape == (1, 8, 10, 3)


@pytest.mark.slow  # another process
@pytest.mark.parametrize("task", TASKS)
def test_tensorflow_alone_gets_the_keras_models_outputs(task, found):
    of_task = found(*TASKS)[task]
    assert of_task["call"] <= 1e-5
    expected = {"features", "serving_default"} | ({"serving_uint8"} if task != "volume-features" else set())
    assert expected <= set(of_task["signatures"])


@pytest.mark.slow  # another process
def test_signatures_say_what_predict_says(found):
    found = found(*TASKS)
    assert found["super-resolution"]["served"] == {"image": [2, 128, 128, 3], "pixels": [2, 128, 128, 3]}
    assert found["super-resolution"]["encoded"] == found["super-resolution"]["served"]
    scores = {name: [2, 3] for name in SCORES}
    assert found["image-classification"]["served"] == scores
    assert found["image-classification"]["encoded"] == scores
    assert {name for row in found["image-classification"]["classes"] for name in row} == {"red", "green", "blue"}


@pytest.mark.slow  # what is served is checked as each is exported
def test_signatures_of_other_tasks_say_what_predict_says(found):
    found = found(*TASKS)
    assert found["image-features"]["served"] == {"features": [2, 64]}
    assert found["semantic-segmentation"]["served"]["label_map"] == [2, 33, 33]
    assert found["semantic-segmentation"]["served"]["labels"] == [2, 21]
    assert found["volume-features"]["served"]["features"][0] == 2


@pytest.mark.slow  # another process
def test_tensorflow_hub_fine_tunes_every_variable(found, classifier):
    tuned = found(*TASKS)["fine-tuned"]
    assert tuned["losses"][-1] < 0.5 * tuned["losses"][0]
    assert tuned["trainable"] == tuned["with_gradient"] == len(classifier.trainable_variables)
    assert tuned["changed"] == tuned["variables"] == len(classifier.variables)  # moving statistics among them


@pytest.mark.slow  # another process
def test_saved_model_cli_runs_it(found):
    enlarged = np.array(found(*TASKS)["command"])
    assert enlarged.shape == (1, 6, 8, 3)
    assert np.abs(enlarged - 100).max() <= 8


@pytest.mark.parametrize("task", slow_except(QUICK, TASKS))
def test_card_spec_labels_and_differences_ride_along(task, saved_models):
    extras = saved_models(task) / "assets.extra"
    assert zoo.Entry.model_validate_json((extras / "zoo.json").read_text()).task == task
    assert (extras / "README.md").read_text().startswith("---\n")
    assert (extras / "labels.txt").is_file() == (task in ("image-classification", "semantic-segmentation"))
    for name, difference in record(saved_models(task))["differences"].items():
        assert difference["relative_difference"] <= (5e-2 if name == "encoded" else 1e-4)


@pytest.mark.parametrize("task", slow_except(QUICK, TASKS))
def test_the_card_lists_each_tensor_and_its_snippet_runs(task, saved_models):
    path = saved_models(task)
    printed = run_snippet(path / "assets.extra", path)
    text = (path / "assets.extra" / "README.md").read_text(encoding="utf-8")
    assert "## Use\n" not in text
    for name, signature in tf.saved_model.load(str(path)).signatures.items():
        for tensor, spec in signature.structured_outputs.items():
            assert f"| `{name}` | out | `{tensor}` | {spec.dtype.name} | `(" in text
            assert name != "serving_default" or any(
                line.startswith(f"{tensor} {spec.dtype.name} (2,") for line in printed
            )
        for tensor in signature.structured_input_signature[1]:
            assert f"| `{name}` | in | `{tensor}` |" in text


def test_verify_finds_the_same_outputs(saved_models):
    assert zoo.export.verify(saved_models("super-resolution"))["verified"]["relative_difference"] <= 1e-5


@pytest.mark.slow  # an export; test_record.py damages one in many ways
def test_verify_finds_a_changed_file(tmp_path):
    path = zoo.export.saved_model("espcn-x2", tmp_path, inference_only=True)
    (path / "variables" / "variables.index").write_bytes(b"other")
    with pytest.raises(ExportError, match=r"variables\.index changed since the export"):
        zoo.export.verify(path)


def test_bfloat16_keeps_pixels_and_the_last_sum_in_float32():
    network = in_bfloat16(zoo.load("espcn-x2"))
    computed = {layer.name: layer.compute_dtype for layer in network.layers}
    assert computed["feature-conv1"] == computed["subpixel-conv"] == "bfloat16"
    assert computed["normalization"] == computed["bicubic"] == computed["pixels"] == "float32"


@pytest.mark.slow  # an export each
@pytest.mark.parametrize("name", ["fcn8s-small", "blurnet-textures", "coordconv-classifier"])
def test_signatures_in_bfloat16_follow_from_the_call_to_a_step(name, tmp_path):
    """TensorFlow fuses the operations of one graph and not of the other, so that their sums are rounded elsewhere."""
    path = zoo.export.saved_model(name, tmp_path, dtype="bfloat16")
    assert record(path)["differences"]["serving_default"]["relative_difference"] <= 2**-7


@pytest.mark.slow  # test_policies.py has lower precision in general
def test_bfloat16_reports_what_its_task_measures(tmp_path):
    path = zoo.export.saved_model("espcn-x2", tmp_path, dtype="bfloat16", inference_only=True)
    assert record(path)["differences"]["call_float32"]["psnr_db"] > 50


def test_regularization_and_a_feature_pyramid_come_along(tmp_path):
    image = keras.Input((16, 16, 3), name="image")
    weighted = keras.layers.Conv2D(4, 3, strides=2, padding="same", kernel_regularizer=keras.regularizers.L2(0.1))(
        image
    )
    model = zoo.model.ZooModel(image, {2: weighted, 4: keras.layers.AveragePooling2D(2)(weighted)})
    model.spec = zoo.info("resnet10t").model_copy(update={"features": True})
    loaded = tf.saved_model.load(str(zoo.export.saved_model(model, tmp_path)))
    assert [float(loss()) for loss in loaded.regularization_losses] == pytest.approx([float(model.losses[0])])
    maps = loaded(np.zeros((1, 16, 16, 3), "uint8"))
    assert {name: tuple(value.shape) for name, value in maps.items()} == {
        "stride_2": (1, 8, 8, 4),
        "stride_4": (1, 4, 4, 4),
    }


@pytest.mark.slow  # XLA compiles a whole network
def test_a_fixed_batch_and_xla(tmp_path):
    path = zoo.export.saved_model("espcn-x2", tmp_path, batch_size=1, compile_xla=True, inference_only=True)
    loaded = tf.saved_model.load(str(path))
    assert loaded.signatures["serving_default"].structured_input_signature[1]["image"].shape == (1, None, None, 3)
    assert loaded(np.zeros((1, 4, 4, 3), "float32")).shape == (1, 8, 8, 3)


def test_random_weights_are_refused(classifier, tmp_path):
    with pytest.raises(ExportError, match=r"has random weights.*allow_random=True"):
        zoo.export.saved_model(classifier, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"dtype": "float16"}, InputError, "Expected None, 'float32' or 'bfloat16'"),
        ({"batch_size": 0}, InputError, "batch_size=0"),
        ({"version": 0}, InputError, "Expected a whole number from 1"),
        ({"version": "latest"}, InputError, "Expected a whole number from 1"),
    ],
)
def test_arguments_out_of_range_are_refused(options, error, message, tmp_path):
    with pytest.raises(error, match=message):
        zoo.export.saved_model("espcn-x2", tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


def test_something_else_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"Expected one from zoo\.load, or a handle"):
        zoo.export.saved_model(keras.Sequential(), tmp_path)


def test_a_version_that_exists_is_kept(saved_models):
    path = saved_models("super-resolution")
    with pytest.raises(ExportError, match=r"Version 1 of espcn-x2 exists.*leave out the version for 2"):
        zoo.export.saved_model("espcn-x2", path.parent.parent, version=1)


def test_a_directory_that_cannot_be_written_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AccessError, match=r"file is a file\. Expected a folder"):
        zoo.export.saved_model("espcn-x2", tmp_path / "file")


def test_answers_that_differ_are_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("zoo.export.verification.TOLERANCE", 0.0)
    monkeypatch.setattr("zoo.export.to_saved_model.folded", in_bfloat16)  # a network that answers a little differently
    with pytest.raises(ExportError, match=r"differs by .* from the Keras model"):
        zoo.export.saved_model("espcn-x2", tmp_path, inference_only=True)
    assert list(tmp_path.iterdir()) == []
