"""ONNX files whose weights take two bytes or one: they are made float32 again where the file is run."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo.export.converted import runtime

_LEAST = 1024  # numbers of a tensor: smaller ones, biases and scales, gain nothing and lose most
# The axis of the outputs, each of which has a scale of its own.
_AXES = {"Conv": 0, "ConvTranspose": 1, "MatMul": -1, "Gemm": -1}


def compress_weights(path: Path, dtype: str) -> None:
    """Store the weights of layers as `"float16"`, or `"int8"` with a scale per output, symmetric; the rest stays."""
    library: Any = runtime("onnx", "onnx")
    proto = library.load(path)
    graph = proto.graph
    readers = {name: node for node in graph.node for name in node.input[1:2] if node.op_type in _AXES}
    nodes = []
    for tensor in list(graph.initializer):
        values = library.numpy_helper.to_array(tensor)
        if tensor.name not in readers or values.dtype != np.float32 or values.size < _LEAST:
            continue
        graph.initializer.remove(tensor)
        stored = f"{tensor.name}/{dtype}"
        if dtype == "float16":
            arrays = {stored: values.astype("float16")}
            nodes.append(library.helper.make_node("Cast", [stored], [tensor.name], to=library.TensorProto.FLOAT))
        else:
            axis = _axis(readers[tensor.name]) % values.ndim
            others = tuple(place for place in range(values.ndim) if place != axis)
            scale = np.maximum(np.abs(values).max(others, keepdims=True) / 127, np.finfo("float32").tiny)
            arrays = {stored: np.rint(values / scale).astype("int8"), f"{stored}/scale": scale.reshape(-1)}
            nodes.append(library.helper.make_node("DequantizeLinear", list(arrays), [tensor.name], axis=axis))
        graph.initializer.extend(library.numpy_helper.from_array(array, name) for name, array in arrays.items())
    for node in reversed(nodes):
        graph.node.insert(0, node)
    library.save(proto, path)


def _axis(node: Any) -> int:
    is_transposed = any(one.name == "transB" and one.i for one in node.attribute)
    return 0 if is_transposed else _AXES[node.op_type]
