"""Operations of TensorFlow that tf2onnx does not know, written with those that ONNX has."""

from typing import Any

import numpy as np

from zoo.export.converted import runtime


class _Erfc:
    """`erfc(x) = 1 - erf(x)`, which TensorFlow computes an exact GELU with."""

    @classmethod
    def version_9(cls, graph: Any, node: Any, **_: Any) -> None:  # ONNX has `Erf` from its operator set 9 on
        (shape,), (dtype,) = node.output_shapes, node.output_dtypes
        erf = graph.make_node("Erf", node.input, shapes=[shape], dtypes=[dtype])
        one = graph.make_const(
            f"{node.name}_one", np.array(1, runtime("tf2onnx.utils", "onnx").map_onnx_to_numpy_type(dtype))
        )
        graph.remove_node(node.name)
        operands = [one.output[0], erf.output[0]]
        graph.make_node("Sub", operands, name=node.name, outputs=node.output, shapes=[shape], dtypes=[dtype])


def register_operations() -> None:
    """Let tf2onnx convert them from now on."""
    runtime("tf2onnx.handler", "onnx").tf_op("Erfc")(_Erfc)
