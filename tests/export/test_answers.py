"""Every signature of every task says what `zoo.predict` says of real inputs; an export that does not is refused."""

import functools
from typing import get_args

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import zoo
import zoo.export
from recipes.photographs import photograph
from tests.export.conftest import small
from tests.marked_cases import first_of_each, release_except, slow_except
from zoo.catalogue.entry import Quantity
from zoo.catalogue.task_names import TaskName
from zoo.errors import ExportError
from zoo.export.answers import ANSWERS, answer
from zoo.export.exportable import samples
from zoo.export.signature_check import PREDICTED, check_signatures

TASKS = get_args(TaskName)
BLOCK = {"depths": [1], "stem_kind": "tiered", "stem_filters": 16}
MODELS = {
    "coordinate-classification": lambda: zoo.load("coordconv-classifier"),
    "coordinate-regression": lambda: zoo.load("coordconv-regressor"),
    "coordinate-rendering": lambda: zoo.load("coordconv-renderer"),
    "depth-completion": lambda: small(  # the one that is shipped, whose graph is large, is exported by test_opened.py
        "sparseconvnet", name="small", architecture="small", config={"filters": 4, "kernel_sizes": [5, 3]}
    ),
    "forecasting": lambda: zoo.load("tcn-co2"),
    "image-classification": lambda: small(
        "resnet10t", config=BLOCK, num_classes=7, labels=tuple("abcdefg"), input=TINY
    ),
    "image-features": lambda: small(
        "resnet10t", config=BLOCK, num_classes=0, labels=None, task="image-features", input=TINY
    ),
    "image-regression": lambda: small(
        "resnet10t",
        config=BLOCK,
        num_classes=2,
        labels=("age", "weight"),
        task="image-regression",
        input=TINY,
        quantities=(Quantity(unit="years", mean=40, std=20), Quantity(mean=1, std=0.1)),
    ),
    "inpainting": lambda: small("pconv-unet", name="small", architecture="small", config={"filters": [4, 4]}),
    "multi-label-classification": lambda: small(
        "resnet10t", config=BLOCK, num_classes=7, labels=tuple("abcdefg"), task="multi-label-classification", input=TINY
    ),
    "object-detection": lambda: small(
        "yolox_nano",
        config={"depth": 0.33, "width": 0.125, "depthwise": True, "score_threshold": 0.0001, "count": 5},
        num_classes=3,
        labels=tuple("abc"),
        input=zoo.info("yolox_nano").input.model_copy(update={"size": 64}),
    ),
    "semantic-segmentation": lambda: small(
        "deeplabv3_mobilenet_v2", config={"filters": [16, 16], "strides": [2, 2]}, input=TINY
    ),
    "super-resolution": lambda: zoo.load("espcn-x2"),
    "volume-features": lambda: small("medicalnet_resnet10", (16, 16, 16, 1), config={"depths": [1, 0, 0, 0]}),
    "volume-segmentation": lambda: zoo.load("unet3d-phantoms"),
}
TINY = zoo.info("resnet10t").input.model_copy(update={"size": 33})


def inputs_of(task, folder):
    """Two sources as people have them; images are files, a PNG and a JPEG."""
    generator = np.random.default_rng(0)
    images = [photograph(name).resize((48, 40)) for name in ("coffee.png", "rocket.jpg")]
    if task.startswith("coordinate-") and task != "coordinate-regression":
        return ["40,12", "3,60"]
    if task == "depth-completion":
        return [np.where(generator.random((24, 32)) < 0.2, generator.uniform(1, 80, (24, 32)), 0) for _ in range(2)]
    if task == "forecasting":
        return [330 + generator.normal(size=120) for _ in range(2)]
    if task.startswith("volume-"):
        return [generator.poisson(5, (16, 16, 16)) for _ in range(2)]
    if task == "inpainting":
        holes = Image.fromarray(np.where(generator.random((40, 48)) < 0.2, 0, 255).astype("uint8"))
        for image in images:
            image.putalpha(holes)
        return images
    side = {"coordinate-regression": zoo.info("coordconv-regressor").input.size}.get(task)
    for image, name in zip(images, ("a.png", "b.jpg"), strict=True):
        (image.resize((side, side)) if side else image).save(folder / name)
    return [folder / "a.png", folder / "b.jpg"]


def softmax(logits):
    powers = np.exp(logits.astype("float64") - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def check_says(task, record, served, output, near):
    """Compare one record of `zoo.predict` with one row of a signature; `near` is how far numbers may be."""

    def close(name, expected, scale=1.0):
        np.testing.assert_allclose(served.pop(name), expected, atol=near * scale, err_msg=name)

    if task in ("image-classification", "multi-label-classification"):
        best = record["predictions"]
        assert served.pop("classes").tolist() == [item["label"].encode() for item in best[:5]]
        assert served.pop("indices").tolist() == [item["index"] for item in best[:5]]
        close("scores", [item["score"] for item in best[:5]])
        close("probabilities", [item["score"] for item in sorted(best, key=lambda item: item["index"])])
        if task == "multi-label-classification":
            assert record["labels"] == [item["label"] for item in best if item["score"] >= 0.5]
            close_to = [1 / (1 + np.exp(-output[item["index"]].astype("float64"))) for item in best]
            np.testing.assert_allclose([item["score"] for item in best], close_to, atol=1e-6)
    elif task == "image-regression":
        assert served.pop("names").tolist() == [name.encode() for name in record["values"]] == [b"age", b"weight"]
        assert record["units"] == {"age": "years"}
        close("values", [*record["values"].values()], 100)
        np.testing.assert_allclose([*record["values"].values()], output)
    elif task == "semantic-segmentation":
        same = served.pop("label_map") == record.label_map
        assert same.mean() >= (0.999 if near < 1e-3 else 0.97)
        names = {item["index"]: item["label"].encode() for item in record["classes"]}
        labels = served.pop("labels")
        assert all(labels[index] == name for index, name in names.items())
        close("probabilities", softmax(output))
    elif task in ("super-resolution", "inpainting"):
        difference = np.abs(served.pop("image").astype(int) - np.asarray(record.image)).max()
        assert difference <= (1 if near < 1e-3 else 3)
        close("pixels", output, 255)
    elif task == "coordinate-classification":
        assert (served.pop("x"), served.pop("y")) == (record["x"], record["y"])
        close("score", record["score"])
        close("probabilities", softmax(output.ravel()).reshape(output.shape))
    elif task == "coordinate-regression":
        close("x", record["x"], 100)
        close("y", record["y"], 100)
    elif task == "coordinate-rendering":
        np.testing.assert_allclose(255 * served.pop("brightness"), np.asarray(record.image), atol=0.51)
    elif task == "volume-segmentation":
        assert np.array_equal(served["label_map"], record.label_map)
        assert served.pop("label_map").sum() == record["voxels"]
        close("probabilities", 1 / (1 + np.exp(-output[..., 0].astype("float64"))))
    elif task == "depth-completion":
        close("metres", record.depth_map[..., None], 100)
    else:
        name = "forecast" if task == "forecasting" else "features"
        close(name, record[name], max(np.abs(record[name])))
    assert not served, f"zoo.predict does not say {list(served)}"


def test_every_task_is_answered_and_checked():
    assert list(ANSWERS) == list(PREDICTED) == list(TASKS) == list(MODELS)


# Every export compares its signatures with `zoo.predict` before it is kept; these are compared once more, by hand.
QUICK = {"image-classification"}


BY_ONE_ARRAY = [task for task in TASKS if task != "object-detection"]  # which test_detection.py compares


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A small model of a task and its export, made once for both tests that look at one."""

    @functools.cache
    def of(task):
        model = MODELS[task]()
        return model, zoo.export.saved_model(model, tmp_path_factory.mktemp("served"), allow_random=True)

    return of


@pytest.mark.parametrize("task", slow_except(QUICK, BY_ONE_ARRAY))
def test_each_signature_says_what_predict_says(task, exported, tmp_path):
    model, path = exported(task)
    sources = inputs_of(task, tmp_path)
    records = zoo.predict(model, sources, top=model.output_shape[-1] or 1)
    prepared = [model.preprocess(source) for source in sources]
    stacked = keras.tree.map_structure(lambda *arrays: np.stack(arrays), *prepared)
    outputs = np.asarray(model(stacked, training=False))
    signatures = dict(tf.saved_model.load(str(path)).signatures)
    named = stacked if isinstance(stacked, dict) else {model.inputs[0].name: stacked}
    asked = {
        "serving_default": {name: tf.constant(value, tf.float32) for name, value in named.items()},
        "serving_uint8": {name: tf.cast(value, tf.uint8) for name, value in named.items()},
    }
    if isinstance(sources[0], type(tmp_path)):
        asked["encoded"] = {"image_bytes": tf.constant([source.read_bytes() for source in sources])}
    assert set(signatures) - {"features"} <= set(asked)
    for name in set(signatures) - {"features"}:
        served = {key: value.numpy() for key, value in signatures[name](**asked[name]).items()}
        assert set(served) <= set(ANSWERS[task].meanings)
        for position, record in enumerate(records):
            row = {key: value[position] for key, value in served.items()}
            check_says(task, record, row, outputs[position], 0.02 if name == "encoded" else 1e-5)
    check_features(task, model, signatures["features"](**asked["serving_default"]), records, outputs)


def check_features(task, model, served, records, outputs):
    """What goes into the head: the head makes the outputs of it."""
    features = served["features"]
    if task.endswith("-features"):
        np.testing.assert_allclose(features, [record["features"] for record in records], rtol=1e-4, atol=1e-4)
    elif task == "image-classification":
        np.testing.assert_allclose(model.get_layer("fc")(features), outputs, atol=1e-4)


# A detector takes minutes.
@pytest.mark.parametrize("task", [*first_of_each(BY_ONE_ARRAY), *release_except((), ["object-detection"])])
def test_no_tensor_of_a_signature_can_be_anything_else(task, exported):
    model, path = exported(task)
    signatures = dict(tf.saved_model.load(str(path)).signatures)
    inputs, memory = samples(model), {}

    def network(asked):
        key = tuple(np.asarray(tensor).tobytes() for tensor in keras.tree.flatten(asked))
        if key not in memory:
            memory[key] = model(asked, training=False)
        return memory[key]

    def check(name, change=dict):
        def signature(**asked):
            if name not in memory:
                memory[name] = {key: value.numpy() for key, value in signatures[name](**asked).items()}
            return change(memory[name])

        check_signatures({name: signature}, model, inputs, network, exact=True, tolerance=1e-5)

    for name in signatures:
        check(name)
        with pytest.raises(ExportError, match=f"signature {name} gives"):
            check(name, lambda served: {**served, "more": next(iter(served.values()))})
        for key in memory[name]:
            with pytest.raises(ExportError, match=f"signature {name} gives"):
                check(name, lambda served, key=key: {other: served[other] for other in served if other != key})
            check_changes(check, name, key, memory[name][key])


def check_changes(check, name, key, value):
    """Every change that changes something is refused."""
    changes = [
        value[::-1],
        np.zeros_like(value),
        np.roll(value, 1, axis=-1),
        value + value if value.dtype.kind == "f" else value,
    ]
    for changed in changes[: 1 if name == "features" else None]:
        is_near = value.dtype.kind == "f" and np.allclose(value, changed, atol=1e-3)
        if not is_near and np.mean(changed != value) >= 0.01:
            with pytest.raises(ExportError, match=f"signature {name}: '{key}'|signature features: 'output'"):
                check(name, lambda served, changed=changed: {**served, key: changed})


@pytest.mark.parametrize(
    ("task", "change"),
    first_of_each(
        [
            ("super-resolution", lambda served: {**served, "image": served["image"][:, ::-1]}),
            ("image-classification", lambda served: {**served, "scores": served["probabilities"][:, :5]}),
            ("semantic-segmentation", lambda served: {**served, "label_map": tf.zeros_like(served["label_map"])}),
        ]
    ),
    ids=["upside down", "label order", "label_map of 0"],
)
def test_an_export_with_another_output_is_not_kept(task, change, tmp_path, monkeypatch):
    whole = ANSWERS[task]
    wrong = whole._replace(tensors=lambda *given: change(whole.tensors(*given)))
    monkeypatch.setitem(ANSWERS, task, wrong)
    with pytest.raises(ExportError, match=r"signature serving_default.*is not what zoo\.predict returns"):
        zoo.export.saved_model(MODELS[task](), tmp_path, allow_random=True)
    assert list(tmp_path.iterdir()) == []


def test_tensors_that_belong_together_stand_in_one_order():
    entry = zoo.info("resnet10t").model_copy(update={"labels": tuple("abcdefg")})
    logits = tf.constant([[0.0, 3, 1, 2, 7, 6, 5]])
    served = {name: value.numpy()[0] for name, value in answer(entry, None, logits).items()}
    assert served["classes"].tolist() == [b"e", b"f", b"g", b"b", b"d"]
    assert served["indices"].tolist() == [4, 5, 6, 1, 3]
    np.testing.assert_array_equal(served["scores"], served["probabilities"][served["indices"]])
    assert "classes" not in answer(entry.model_copy(update={"labels": None}), None, logits)
