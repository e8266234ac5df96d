"""What a model looks at, served by a SavedModel and by ONNX Runtime: as `zoo.explain` says it."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
import zoo.export
from tests.export.conftest import CAT, run_snippet, small
from tests.test_explanation import cat_and_cup, share
from zoo.errors import ExportError, InputError
from zoo.export.explanations import with_map
from zoo.export.to_litert import opened


@pytest.mark.slow
def test_the_cat_is_where_it_is_in_keras_saved_model_and_onnx(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="layerzoo[onnx] is not installed")
    model = zoo.load("tf_efficientnet_lite0")
    expected, best = zoo.explain(model, cat_and_cup(0)), zoo.predict(model, CAT)[0]["predictions"][0]["label"]
    pixels = model.preprocess(cat_and_cup(0))[None].astype("float32")
    path = zoo.export.saved_model(model, tmp_path, explain=True, inference_only=True)
    served = tf.saved_model.load(str(path)).signatures["explain"](image=tf.constant(pixels))
    np.testing.assert_allclose(served["map"][0], expected.map, atol=1e-4)
    assert served["label"].numpy().tolist() == [expected["label"].encode()]
    path = zoo.export.onnx(model, tmp_path, explain=True)
    session = onnxruntime.InferenceSession(str(path / "model.onnx"), providers=["CPUExecutionProvider"])
    logits, found = session.run(None, {session.get_inputs()[0].name: pixels})
    assert found.shape == (1, 7, 7)
    assert logits.argmax() == expected["index"] == served["index"].numpy()[0]
    assert [share(each, 0) >= 0.8 for each in (expected.map, served["map"].numpy(), found)] == [True] * 3
    assert zoo.export.verify(path)["verified"]["relative_difference"] <= 1e-4
    assert run_snippet(path, path)[0].endswith(f" {best}")
    pytest.importorskip("ai_edge_litert", reason="layerzoo[litert] is not installed")
    path = zoo.export.litert(model, tmp_path, explain=True)
    answer = opened(path)(pixels)
    assert answer["output"].argmax() == expected["index"]
    np.testing.assert_allclose(answer["explanation"], found, atol=1e-4)
    assert zoo.export.verify(path)["verified"]["relative_difference"] <= 1e-4
    assert run_snippet(path, path)[0].endswith(f" {best}")
    with pytest.raises(InputError, match="Expected one of them"):
        zoo.export.litert(model, tmp_path, explain=True, representative=[pixels[0]])


@pytest.mark.slow  # an export each
@pytest.mark.parametrize("task", ["multi-label-classification", "image-regression"])
def test_every_head_that_is_linear_has_the_signature(task, tmp_path):
    block = {"depths": [1], "stem_kind": "tiered", "stem_filters": 16}
    model = small("resnet10t", config=block, num_classes=3, labels=("a", "b", "c"), task=task)
    path = zoo.export.saved_model(model, tmp_path, explain=True, allow_random=True)
    assert "`explain` | out | `map`" in (path / "assets.extra" / "README.md").read_text()
    served = tf.saved_model.load(str(path)).signatures["explain"](image=tf.zeros((2, 48, 40, 3)))
    assert served["map"].shape == (2, 48, 40)
    assert (served["index"].numpy() == 0).all() or task != "image-regression"


@pytest.mark.slow  # an export more; a head has the signature above
def test_a_segmentation_serves_its_confidence(tmp_path):
    model = small("deeplabv3_mobilenet_v2", config={"filters": [16, 16], "strides": [2, 2]})
    path = zoo.export.saved_model(model, tmp_path, explain=True, inference_only=True, allow_random=True)
    served = tf.saved_model.load(str(path)).signatures["explain"](image=tf.zeros((1, 33, 33, 3)))
    assert list(served) == ["map"]
    assert served["map"].shape == (1, 33, 33)


def test_a_head_that_needs_gradients_is_refused(tmp_path):
    model = zoo.load("espcn-x2")
    with pytest.raises(ExportError, match=r"cannot be explained without gradients\. Expected a segmentation, or a"):
        zoo.export.saved_model(model, tmp_path, explain=True)
    assert list(tmp_path.iterdir()) == []
    block = {"depths": [1, 1, 1, 1], "filters": [8, 8, 8, 8]}
    with pytest.raises(ExportError, match=r"\(image-classification\) cannot be explained without gradients"):
        with_map(small("convnext_zepto_rms", config=block, num_classes=3))
