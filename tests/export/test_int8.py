"""Eight bits: kept where the file is as good as promised on photographs, and refused where it is not."""

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import zoo
import zoo.export
from tests.marked_cases import slow_except
from zoo.command_line.main import main
from zoo.errors import ExportError, InputError, MissingExtraError
from zoo.export.onnx_int8 import Calibrated

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
NAME = "blurnet-textures"
RUNTIMES = {"litert": "ai_edge_litert", "onnx": "onnxruntime", "openvino": "nncf"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Textures in folders that are called as the network calls them, so that float32 is right on all."""
    folder, generator, model = tmp_path_factory.mktemp("photos"), np.random.default_rng(0), zoo.load(NAME)
    for place in range(24):
        pixels = generator.integers(0, 256, (64, 64, 3)) // (place % 6 + 1) + 10 * (place % 5)
        wave = 60 * np.sin(np.arange(64) / (1 + place % 7))[:, None, None]
        image = np.clip(pixels + (wave if place % 2 else 0), 0, 255).astype("uint8")
        label = zoo.predict(model, image)[0]["predictions"][0]["label"]
        (folder / label).mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / label / f"{place}.png")
    return folder


@pytest.fixture
def options(photos):
    return {"calibrate": photos, "validate": photos}


@pytest.fixture(scope="module")
def doubtful(tmp_path_factory):
    """Images between two classes, as close to both as bytes allow, in folders of the class that float32 finds."""
    folder, generator, model = tmp_path_factory.mktemp("doubtful"), np.random.default_rng(1), zoo.load(NAME)

    def best(image):
        return int(np.argmax(np.asarray(model(image[None].astype("float32")))[0]))

    ramp = np.repeat(np.linspace(0, 255, 64)[:, None], 64, axis=1)[..., None].repeat(3, axis=2)
    for place in range(12):
        ends = [generator.integers(0, 256, (64, 64, 3)).astype(float), np.roll(ramp, 5 * place, axis=0)]
        first, low, high = best(ends[0]), 0.0, 1.0
        for _ in range(12):
            middle = (low + high) / 2
            image = np.rint((1 - middle) * ends[0] + middle * ends[1]).astype("uint8")
            low, high = (middle, high) if best(image) == first else (low, middle)
        label = model.spec.labels[best(image)]
        (folder / label).mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / label / f"{place}.png")
    return folder


@pytest.mark.slow  # exports; test_rounded.py has files that lose too much
def test_a_file_that_would_break_the_promise_is_not_written(photos, doubtful, tmp_path):
    with pytest.raises(ExportError, match=r"falls by more than 0 points of top1_percent in 8 bits: 100 in float32"):
        zoo.export.int8(NAME, tmp_path, format="litert", calibrate=photos, validate=doubtful, max_drop=0)
    assert not list(tmp_path.rglob("*.tflite"))


def test_a_missing_quantizer_is_an_error_before_anything_is_measured(options, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)  # as Python imports what is not installed
    with pytest.raises(MissingExtraError, match=r"openvino needs nncf, .* pip install 'layerzoo\[openvino\]'"):
        zoo.export.int8(NAME, tmp_path, format="openvino", calibrate="missing", validate="missing")


@pytest.fixture
def uneven():
    """The same function of the image, with channels behind the first layer whose ranges differ by a factor of 4,096:
    each is scaled there, which the next layer takes back."""
    model = zoo.load(NAME)
    normalization, convolution = model.get_layer("bn1"), model.get_layer("conv2")
    scales = 2.0 ** np.linspace(-6, 6, normalization.gamma.shape[0])
    normalization.gamma.assign(normalization.gamma * scales)
    normalization.beta.assign(normalization.beta * scales)
    convolution.kernel.assign(convolution.kernel / scales[:, None])
    return model


@pytest.mark.parametrize("name", slow_except({"onnx"}, ["litert", "onnx"]))
def test_layers_that_break_in_8_bits_stay_in_float32(name, uneven, options, tmp_path):
    pytest.importorskip(RUNTIMES[name], reason=f"layerzoo[{name}] is not installed")
    folder = zoo.export.int8(uneven, tmp_path, format=name, max_drop=5, **options)
    assert folder == tmp_path / f"{NAME}-{name}" / "1"
    promise = json.loads((folder / "export.json").read_text())["promise"]
    assert (promise["metric"], promise["float32"], promise["images"]) == ("top1_percent", 100.0, 24)
    assert zoo.evaluate(folder, options["validate"])["top1_percent"] == promise["int8"] >= 95
    assert "## Eight bits" in (folder / "README.md").read_text()
    assert zoo.export.verify(folder)["exact"] is False
    kept = promise["layers_in_float32"]
    assert {"conv1", "conv2"} <= set(kept)  # all in 8 bits was tried first, and lost more
    assert "fc" not in kept


@pytest.mark.slow  # one that is repaired, above, is quick
@pytest.mark.parametrize("name", RUNTIMES)
def test_what_is_as_good_as_promised_is_all_in_8_bits(name, options, tmp_path):
    pytest.importorskip(RUNTIMES[name], reason=f"layerzoo[{name}] is not installed")
    folder = zoo.export.int8(NAME, tmp_path, format=name, max_drop=100, **options)
    promise = json.loads((folder / "export.json").read_text())["promise"]
    assert promise["layers_in_float32"] == []
    assert zoo.evaluate(folder, options["validate"])["top1_percent"] == promise["int8"]


@pytest.mark.slow  # conversions; that such a network is repaired is quick
def test_layers_that_are_kept_compute_in_float32(photos, tmp_path):
    onnx = pytest.importorskip("onnx")
    model = zoo.load(NAME)
    images = [model.preprocess(path) for path in sorted(photos.rglob("*.png"))]
    calibrated = Calibrated(model, tmp_path / "float32", images)
    order = [name for name in calibrated.sensitive_layers() if "convolution" in name]
    assert len(set(order)) == len(order) == 4
    calibrated.write(order[:2], model, tmp_path)
    graph = onnx.load(tmp_path / "model.onnx").graph
    made = {output: node.op_type for node in graph.node for output in node.output}
    weights = {node.name: made.get(node.input[1]) for node in graph.node if node.name in order}
    assert {name for name, source in weights.items() if source != "DequantizeLinear"} == set(order[:2])
    # In 7 bits, so that processors without VNNI compute the same.
    stored = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    int8 = [
        stored[node.input[0]] for node in graph.node if node.input[0] in stored and node.op_type == "DequantizeLinear"
    ]
    int8 = [weights for weights in int8 if weights.dtype == np.int8]
    assert len(int8) > 3  # of convolutions, blurs and the head
    assert max(int(np.abs(weights.astype(int)).max()) for weights in int8) <= 64


@pytest.mark.slow  # an export more
def test_an_onnx_file_speaks_for_itself(tmp_path):
    onnx = pytest.importorskip("onnx")
    proto = onnx.load(zoo.export.onnx(NAME, tmp_path) / "model.onnx")
    (value,), (output,) = proto.graph.input, proto.graph.output
    assert (value.name, output.name) == (zoo.load(NAME).inputs[0].name, "output")
    assert [one.dim_param or one.dim_value for one in value.type.tensor_type.shape.dim][:1] == ["batch"]
    facts = {one.key: one.value for one in proto.metadata_props}
    assert facts["license"] == zoo.info(NAME).license
    assert json.loads(facts["labels"]) == list(zoo.load(NAME).spec.labels)
    assert json.loads(facts["zoo.json"])["name"] == "blurnet-textures.grey"


def test_wrong_arguments_are_refused(options, tmp_path):
    for changes, message in (
        ({"format": "saved_model"}, "is not written in 8 bits"),
        ({"max_drop": -1}, "max_drop=-1"),
        ({"calibrate": tmp_path}, "contains no images"),
    ):
        with pytest.raises(InputError, match=message):
            zoo.export.int8(NAME, tmp_path, **{"format": "onnx", **options, **changes})
    for name, message in (("pconv-unet", "takes an image and a mask"), ("coordconv-classifier", "takes no images")):
        with pytest.raises(ExportError, match=message):
            zoo.export.int8(name, tmp_path, format="onnx", **options)
    (tmp_path / f"{NAME}-onnx" / "2").mkdir(parents=True)
    with pytest.raises(ExportError, match=r"Version 2 of .* exists"):  # before anything is read
        zoo.export.int8(NAME, tmp_path, format="onnx", version=2, calibrate="missing", validate="missing")
    for more, message in (
        (["--format", "onnx", "--int8"], "go together"),
        (["--format", "onnx", "--max-drop", "2"], "--max-drop belongs to --int8"),
        (["--format", "timm", "--explain"], "--explain belongs to"),
    ):
        done = CliRunner().invoke(main, ["export", NAME, "-o", f"{tmp_path}", *more])
        assert message in done.output
