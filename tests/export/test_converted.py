"""LiteRT, ONNX and OpenVINO: their own runtimes give the Keras model's answers."""

import json
import logging
import os

import keras
import numpy as np
import pytest
from skimage import data

import zoo
import zoo.export
from tests.export.conftest import CAT, run_snippet, short_of_space, small
from tests.marked_cases import slow_except
from zoo.errors import AccessError, ExportError, InputError, MissingExtraError
from zoo.export.converted import explained, runtime

RUNTIMES = {"litert": "ai_edge_litert", "onnx": "onnxruntime", "openvino": "openvino"}


@pytest.fixture(params=slow_except({"onnx"}, RUNTIMES))
def export(request):
    """Each format that can be run here."""
    pytest.importorskip(RUNTIMES[request.param], reason=f"layerzoo[{request.param}] is not installed")
    return getattr(zoo.export, request.param)


def record(path):
    return json.loads((path / "export.json").read_text())


def test_images_of_any_size_and_classes(export, classifier, tmp_path):
    path = export("espcn-x2", tmp_path)
    assert path == tmp_path / f"espcn-x2-{export.__name__}" / "1"
    assert record(path)["differences"]["float32"]["relative_difference"] <= 1e-5
    assert zoo.export.verify(path)["verified"]["relative_difference"] <= 1e-5
    path = export(classifier, tmp_path, allow_random=True)
    assert record(path)["differences"]["float32"]["relative_difference"] <= 1e-5
    assert (path / "labels.txt").read_text() == "red\ngreen\nblue\n"
    # What the card shows classifies a photograph as zoo.predict does, in a program without this library.
    shown = {label: float(score) for score, label in (line.split("% ") for line in run_snippet(path, path))}
    (record_of_it,) = zoo.predict(classifier, CAT)
    expected = {each["label"]: 100 * each["score"] for each in record_of_it["predictions"]}
    assert shown == pytest.approx(expected, abs=1)


@pytest.mark.slow  # the one above, of a classifier, is quick
def test_what_a_card_shows_segments_a_photograph(export, tmp_path):
    keras.utils.set_random_seed(0)
    model = zoo.load("blurnet-textures", decoder="fpn", num_classes=2)
    model.spec = model.spec.model_copy(update={"labels": ("sky", "road")})
    path = export(model, tmp_path, allow_random=True)
    assert np.load(path / "verification.npz")["inputs"].shape == (2, 59, 59, 3)  # which the decoder pads to 64
    shown = {label: float(share) for share, label in (line.split("% ") for line in run_snippet(path, path))}
    expected = {each["label"]: 100 * each["area"] for each in zoo.predict(model, CAT)[0]["classes"]}
    assert shown == pytest.approx(expected, abs=1)


def test_random_weights_are_refused(export, classifier, tmp_path):
    with pytest.raises(ExportError, match="random weights"):
        export(classifier, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_several_outputs_are_refused(export, tmp_path):
    pyramid = zoo.load("resnet10t", weights=None, features=True)
    with pytest.raises(ExportError, match="gives several maps"):
        export(pyramid, tmp_path, allow_random=True)


@pytest.mark.slow  # an export more; each is verified in its runtime above
def test_litert_alone_enlarges_an_image(tmp_path):
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="layerzoo[litert] is not installed")
    path = zoo.export.litert("espcn-x2", tmp_path)
    interpreter = litert.Interpreter(str(path / "model.tflite"))
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], (1, 5, 7, 3))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.full((1, 5, 7, 3), 100, "float32"))
    interpreter.invoke()
    assert interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).shape == (1, 10, 14, 3)


def test_a_pass_of_the_converter_that_fails_is_left_out(tmp_path, monkeypatch):
    """Each is made upon the graph itself, which a pass that fails may have spoilt; then upon copies."""
    optimizer = pytest.importorskip("tf2onnx.optimizer", reason="layerzoo[onnx] is not installed")
    kinds = []

    class Broken:
        graph_been_opt = False

        def optimize(self, graph, iteration):
            kinds.append(os.environ.get("TF2ONNX_CATCH_ERRORS"))
            raise RuntimeError("a fault of this pass")

    monkeypatch.setitem(optimizer._optimizers, "einsum_optimizer", Broken)
    monkeypatch.setattr(logging.getLogger("tf2onnx.optimizer"), "disabled", True)
    path = zoo.export.onnx("espcn-x2", tmp_path)
    assert kinds[:2] == ["FALSE", None]
    assert record(path)["differences"]["float32"]["relative_difference"] <= 1e-5


@pytest.mark.slow  # an export more; each is verified in its runtime above
def test_onnx_runtime_alone_takes_any_batch(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="layerzoo[onnx] is not installed")
    path = zoo.export.onnx("espcn-x2", tmp_path)
    session = onnxruntime.InferenceSession(str(path / "model.onnx"), providers=["CPUExecutionProvider"])
    (output,) = session.run(None, {"image": np.full((3, 5, 7, 3), 100, "float32")})
    assert output.shape == (3, 10, 14, 3)


# Their exact GELU is `erfc` in TensorFlow.
WITH_GELU = {
    "convnext_tiny": {"config": {"depths": [1, 1], "filters": [8, 16]}},
    "repvit_m1": {"config": {"depths": [1, 1, 1, 1], "filters": [8, 16, 16, 32], "legacy": True}},
    "upernet_convnext_tiny": {
        "config": {"depths": [1, 1, 1, 1], "filters": [8, 16, 16, 32]},
        "decoder_config": {"filters": 8, "align_corners": False},
    },
}


@pytest.mark.slow  # an export each
@pytest.mark.parametrize("name", WITH_GELU)
def test_networks_with_an_exact_gelu_run_in_onnx_runtime(name, tmp_path):
    pytest.importorskip("onnxruntime", reason="layerzoo[onnx] is not installed")
    model = small(name, (64, 96, 3), **WITH_GELU[name], num_classes=3, labels=None)
    differences = record(zoo.export.onnx(model, tmp_path, allow_random=True))["differences"]
    assert differences["float32"]["relative_difference"] <= 1e-5


@pytest.mark.parametrize("opset", [9, 18])
def test_gelu_at_its_ends_in_the_first_and_the_last_opset(opset, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="layerzoo[onnx] is not installed")
    image = keras.Input((None, None, 3), name="image")
    model = zoo.model.ZooModel(image, keras.layers.Activation("gelu")(keras.layers.Rescaling(0.2, -20.0)(image)))
    model.spec = zoo.info("espcn-x2")
    path = zoo.export.onnx(model, tmp_path, opset=opset)
    session = onnxruntime.InferenceSession(str(path / "model.onnx"), providers=["CPUExecutionProvider"])
    pixels = np.linspace(0, 255, 48, dtype="float32").reshape(1, 4, 4, 3)
    (output,) = session.run(None, {"image": pixels})
    np.testing.assert_allclose(output, model(pixels), atol=1e-5)


def test_eight_bits_on_representative_images(tmp_path):
    pytest.importorskip("ai_edge_litert", reason="layerzoo[litert] is not installed")
    images = [image()[100:148, 100:148] for image in (data.astronaut, data.brick, data.coffee)]
    path = zoo.export.litert("espcn-x2", tmp_path, representative=images)
    assert record(path)["differences"]["int8"]["psnr_db"] > 40
    exact = zoo.export.litert("espcn-x2", tmp_path)
    assert (path / "model.tflite").stat().st_size < 0.6 * (exact / "model.tflite").stat().st_size
    with pytest.raises(InputError, match="contains no image"):
        zoo.export.litert("espcn-x2", tmp_path, representative=[])


def test_openvino_says_what_its_own_precision_costs(tmp_path):
    pytest.importorskip("openvino", reason="layerzoo[openvino] is not installed")
    differences = record(zoo.export.openvino("espcn-x2", tmp_path))["differences"]
    assert differences["by itself"]["psnr_db"] > 40


def test_a_layer_that_litert_has_not_is_named(tmp_path):
    pytest.importorskip("ai_edge_litert", reason="layerzoo[litert] is not installed")
    volume = keras.Input((8, 8, 8, 1), name="volume")
    model = zoo.model.ZooModel(volume, keras.layers.MaxPooling3D(2, name="shrink")(volume))
    model.spec = zoo.info("medicalnet_resnet10")
    with pytest.raises(ExportError, match=r"layer 'shrink' \(MaxPooling3D\).*'tf.MaxPool3D' op is neither a custom op"):
        zoo.export.litert(model, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_explanation_knows_layers_by_their_scopes():
    model = small("resnet10t", config={"depths": [1]}, num_classes=2)
    error = explained(model, "onnx", "Tensorflow op [resnet10t_1/layer1-0-conv2_1/Conv2D: Conv2D] is not supported")
    assert "the layer 'layer1-0-conv2' (Conv2D)" in str(error)
    assert "input_shape" not in str(error)


def test_what_a_runtime_reports_stands_in_one_sentence_with_what_to_do():
    model = small("resnet10t", config={"depths": [1]}, num_classes=2)
    error = explained(
        model, "litert", "XNNPack delegate failed to reshape runtime\nNode number 513 failed to prepare.\n"
    )
    assert str(error).startswith(
        "resnet10t.c3_in1k cannot be written as litert: XNNPack delegate failed to reshape runtime Node"
    )
    assert "failed to prepare. Load the model for one size, zoo.load(..., input_shape=(256, 256, 3)), or" in str(error)
    assert error.reason == "XNNPack delegate failed to reshape runtime Node number 513 failed to prepare"


@pytest.mark.parametrize("opset", [0, 8, 19, "17", 17.0, True])
def test_an_opset_that_there_is_not_is_refused(opset, tmp_path):
    with pytest.raises(InputError, match=f"opset={opset!r}. Expected a whole number from 9 to 18"):
        zoo.export.onnx("espcn-x2", tmp_path, opset=opset)


def test_a_full_disk_is_not_a_fault_of_a_layer(export, tmp_path):
    with (
        short_of_space(20_000),
        pytest.raises(AccessError, match=r"cannot be written \((File too large|Input/output error)\)"),
    ):
        export("espcn-x2", tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_runtime_names_the_extra():
    with pytest.raises(MissingExtraError, match=r"pip install 'layerzoo\[litert\]'"):
        runtime("no_such_runtime", "litert")
