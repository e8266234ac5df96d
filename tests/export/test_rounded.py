"""Weights in two bytes or one: smaller files, measured on photographs, and refused where too little is left."""

import json

import numpy as np
import pytest

import zoo
import zoo.export
from zoo.errors import ExportError, InputError
from zoo.export.onnx_weights import compress_weights
from zoo.export.rounded import photographs

NAME = "espcn-x2"
RUNTIMES = {"onnx": "onnxruntime", "litert": "ai_edge_litert", "openvino": "openvino"}
CASES = [(name, dtype) for name in RUNTIMES for dtype in ("int8", "float16") if (name, dtype) != ("openvino", "int8")]


def size(path):
    return sum(file.stat().st_size for file in path.glob("model.*"))


@pytest.mark.slow  # an export each; test_int8.py has one in 8 bits, quick
@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_files_are_smaller_and_measured_on_photographs(name, dtype, tmp_path):
    pytest.importorskip(RUNTIMES[name], reason=f"layerzoo[{name}] is not installed")
    write = getattr(zoo.export, name)
    path, exact = write(NAME, tmp_path, weight_dtype=dtype), write(NAME, tmp_path)
    assert size(path) < {"float16": 0.8, "int8": 0.7}[dtype] * size(exact)  # the graph itself takes some
    record = json.loads((path / "export.json").read_text())
    assert record["exact"] is False
    assert record["measured"]["images"] == 32
    assert record["measured"]["psnr_db"] > {"float16": 60, "int8": 40}[dtype]
    assert "psnr_db" in zoo.export.verify(path)["verified"]


def test_photographs_are_as_the_model_takes_them():
    for name in ("tf_efficientnet_lite0", "espcn-x2", "fcn8s-small"):
        model = zoo.load(name)
        images = photographs(model)
        side = model.spec.input.size or 128
        assert {image.shape for image in images} == {(side, side, 3)}
        assert len({image.tobytes() for image in images}) == 32
        np.testing.assert_array_equal(images[3], photographs(model)[3])
    with pytest.raises(ExportError, match="does not take colour images alone"):
        photographs(zoo.load("coordconv-classifier"))


@pytest.mark.slow  # an export more
def test_a_file_that_loses_too_much_is_not_written(tmp_path):
    pytest.importorskip("onnxruntime", reason="layerzoo[onnx] is not installed")
    model = zoo.load(NAME)
    for layer in model.layers:
        if layer.weights:
            kernel, *rest = layer.get_weights()
            kernel[0, 0, 0] = 30 * np.abs(kernel).max()  # so that one byte has no steps left for the others
            layer.set_weights([kernel, *rest])
    with pytest.raises(
        ExportError, match=r"loses too much by rounding: psnr_db is .* on 32 images, and 40 is expected"
    ):
        zoo.export.onnx(model, tmp_path, weight_dtype="int8")
    assert not list(tmp_path.rglob("*.onnx"))


@pytest.mark.parametrize(
    ("operation", "shape", "axis", "attributes"),
    [
        ("Conv", (8, 16, 3, 3), 0, {}),
        ("ConvTranspose", (16, 8, 3, 3), 1, {}),
        ("MatMul", (32, 64), 1, {}),
        ("Gemm", (64, 32), 0, {"transB": 1}),
    ],
)
def test_each_output_has_a_scale_of_its_own(operation, shape, axis, attributes, tmp_path):
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    generator = np.random.default_rng(0)
    others = tuple(place for place in range(len(shape)) if place != axis)
    scales = 10 ** generator.uniform(-3, 3, [shape[axis] if place == axis else 1 for place in range(len(shape))])
    weights = (scales * generator.standard_normal(shape)).astype("float32")
    helper, path = onnx.helper, tmp_path / "model.onnx"
    taken = {"Conv": 16, "ConvTranspose": 16, "MatMul": 32, "Gemm": 32}[operation]
    inputs = generator.standard_normal((1, taken, 5, 5) if len(shape) == 4 else (1, taken)).astype("float32")

    def write(weights):
        graph = helper.make_graph(
            [helper.make_node(operation, ["x", "w"], ["y"], **attributes)],
            "one",
            [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, inputs.shape)],
            [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
            [onnx.numpy_helper.from_array(weights, "w")],
        )
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)

    def outputs():
        return runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"x": inputs})[0]

    write(weights)
    compress_weights(path, "int8")
    found = outputs()
    stored = {one.name: onnx.numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer}
    assert stored["w/int8"].dtype == np.int8
    steps = stored["w/int8/scale"].reshape(scales.shape)
    np.testing.assert_allclose(steps, np.abs(weights).max(others, keepdims=True) / 127, rtol=1e-6)
    rounded = stored["w/int8"] * steps
    assert (np.abs(rounded - weights) <= 0.5001 * steps).all()
    write(rounded)
    expected = outputs()
    assert np.linalg.norm(found - expected) < 0.02 * np.linalg.norm(expected)  # a MatMul may round what it is given too


def test_wrong_arguments_are_refused(tmp_path):
    for write, options, message in (
        (zoo.export.onnx, {"weight_dtype": "int4"}, "weight_dtype='int4'. Expected None or 'float16' or 'int8'"),
        (zoo.export.onnx, {"weight_dtype": "int8", "opset": 12}, "opset=12 with weight_dtype='int8'"),
        (zoo.export.openvino, {"weight_dtype": "int8"}, "Expected None or 'float16'"),
        (zoo.export.litert, {"weight_dtype": "int8", "explain": True}, "exclude one another"),
    ):
        with pytest.raises(InputError, match=message):
            write(NAME, tmp_path, **options)
    pytest.importorskip("onnxruntime", reason="layerzoo[onnx] is not installed")
    with pytest.raises(ExportError, match="does not take colour images alone"):
        zoo.export.onnx("coordconv-classifier", tmp_path, weight_dtype="float16")
