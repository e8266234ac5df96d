"""A SavedModel of a detector finds the boxes of `zoo.predict`: in pixels of the file, upright, whatever its size."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import zoo
import zoo.export
from recipes.photographs import photograph
from tests.export.conftest import small
from zoo.errors import ExportError
from zoo.export.verification import check

LETTERBOX = {"size": 96}


def detector(**changes):
    """A small YOLOX with random weights, and raw outputs of the size of a trained one's: its scores are spread."""
    keras.utils.set_random_seed(0)
    config = {"depth": 0.33, "width": 0.125, "depthwise": True, "score_threshold": 0.0001, "count": 20}
    spec = zoo.info("yolox_nano").input.model_copy(update=LETTERBOX | changes)
    model = small("yolox_nano", config=config, num_classes=3, labels=("cat", "dog", "bird"), input=spec)
    raw = model(model.preprocess(photograph("coffee.png"))[None].astype("float32"))
    for head, name in (("cls", "cls_logits"), ("obj", "objectness"), ("reg", "bbox_regression")):
        scale = (0.3 if head == "reg" else 1) / keras.ops.std(raw[name])
        for layer in model.layers:
            if layer.name.startswith(f"head-{head}_preds"):
                layer.kernel.assign(layer.kernel * scale)
                layer.bias.assign(layer.bias * 0)
    return model


@pytest.fixture(scope="module")
def model():
    return detector()


def files():
    """A photograph that lies on its side, and one of twelve megapixels."""
    whole, exif = photograph("coffee.png"), Image.Exif()
    exif[0x0112] = 6
    contents = []
    for image, options in ((whole, {"exif": exif}), (whole.resize((4000, 3000)), {})):
        content = io.BytesIO()
        image.convert("RGB").save(content, "JPEG", quality=95, **options)
        contents.append(content.getvalue())
    return contents


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="letterbox", marks=pytest.mark.slow),
        pytest.param({"crop_mode": "squash", "antialias": False}, id="squash", marks=pytest.mark.release),
        pytest.param({"fill": "mean", "mean": (0.1, 0.5, 0.9)}, id="mean", marks=pytest.mark.release),
    ],
)
def test_files_have_their_boxes_in_a_saved_model(changes, tmp_path):
    model = detector(**changes)
    folder = zoo.export.saved_model(model, tmp_path, allow_random=True)
    encoded = tf.saved_model.load(str(folder)).signatures["encoded"]
    for content in files():
        served = {name: value.numpy()[0] for name, value in encoded(image_bytes=tf.constant([content])).items()}
        record = zoo.predict(model, content)[0]
        count = int(served["count"])
        assert count == len(record["predictions"])
        scores = served["scores"][:count]
        # Decoding differs by a level or two of 255, which moves scores of random weights and swaps close ones.
        np.testing.assert_allclose(scores, [item["score"] for item in record["predictions"]], atol=1e-2)
        best = record["predictions"][0]
        place = np.abs(served["boxes"][:count] - best["box"]).max(axis=1).argmin()
        assert np.abs(served["boxes"][place] - best["box"]).max() < 0.01 * record["width"]
        assert served["boxes"][:count].max(axis=0)[2] <= record["width"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["onnx", "litert"])
def test_other_formats_find_the_same_boxes(name, model, tmp_path):
    exported = zoo.export.load(getattr(zoo.export, name)(model, tmp_path, allow_random=True))
    for content in files():
        ours, theirs = (zoo.predict(one, content)[0]["predictions"] for one in (model, exported))
        assert len(ours) == len(theirs)
        assert [item["score"] for item in theirs] == pytest.approx([item["score"] for item in ours], rel=1e-3)
        best = np.array([item["box"] for item in theirs if item["label"] == ours[0]["label"]])
        assert np.abs(best - ours[0]["box"]).max(axis=1).min() < 0.1


def test_boxes_of_equal_scores_come_in_either_order():
    reference = {
        "boxes": np.array([[[0, 0, 4, 4], [5, 5, 9, 9], [1, 1, 2, 2]]], "float32"),
        "scores": np.array([[0.7, 0.7, 0.2]], "float32"),
        "classes": np.array([[1, 0, 1]]),
        "count": np.array([3]),
    }
    swapped = {name: array[:, [1, 0, 2]] if array.ndim > 1 else array for name, array in reference.items()}
    spec = zoo.info("yolox_nano")
    assert check(spec, swapped, reference, exact=True)["largest_difference"] == 0
    for name, value in (("boxes", 1.0), ("classes", 1), ("count", 1)):
        wrong = {**swapped, name: swapped[name] + value}
        with pytest.raises(ExportError, match="differs by 1"):
            check(spec, wrong, reference, exact=True)


@pytest.mark.slow  # an export
def test_a_detector_has_no_signature_of_features(model):
    from zoo.export.reusable import Reusable, signatures

    reusable = Reusable(model, batch_size=None, compile_xla=False, trainable=False)
    found = signatures(model, reusable, batch_size=None, compile_xla=False)
    assert set(found) == {"serving_default", "serving_uint8", "encoded"}
    outputs = found["serving_default"].structured_outputs
    assert {name: spec.dtype.name for name, spec in outputs.items()} == {
        "boxes": "float32", "scores": "float32", "indices": "int32", "count": "int32", "classes": "string"
    }  # fmt: skip
