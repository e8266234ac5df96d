"""ONNX files in 8 bits, by ONNX Runtime's static quantization: QDQ, ranges per channel of weights."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.export.converted import runtime
from zoo.export.rounded import signal_to_error, worst_first
from zoo.export.to_onnx import FILE, described, onnx
from zoo.model import ZooModel

_COMPARED = 8  # images, to find out which operations are hurt
_CLIPPING = ("Clip", "Relu")


class Calibrated:
    """A model in ONNX and the images that its ranges are taken of, to be written in 8 bits as often as one likes.

    Args:
        model: The model.
        place: A folder for files on the way.
        images: Prepared ones.
    """

    def __init__(self, model: ZooModel, place: Path, images: Sequence[np.ndarray]):
        self._images = images
        self._exact = _simplified(onnx(model, place, version=1, allow_random=True) / FILE)

    def sensitive_layers(self) -> list[str]:
        """The operations, those first that 8 bits hurt most: by the lowest ratio of signal to error of what an
        operation gives and gets, weights among them, in dB, each time rounded anew. Both sides of a tensor with a range
        that 8 bits do not cover have to stay in float32."""
        nodes = runtime("onnx", "onnx").load(self._exact).graph.node
        # What is clipped is rounded once, afterwards: the two stay in float32 together.
        clipped = {node.input[0]: node.output[0] for node in nodes if node.op_type in _CLIPPING}
        touched = {
            node.name: [clipped.get(name, name) for name in (*node.input, *node.output)]
            for node in nodes
            if node.op_type not in _CLIPPING
        }
        return worst_first(touched, self._ratios())

    def _ratios(self) -> dict[str, float]:
        """Of signal to error, of each tensor that is rounded."""
        loss: Any = runtime("onnxruntime.quantization.qdq_loss_debug", "onnx")
        with tempfile.TemporaryDirectory(prefix="zoo-int8-") as place:
            rounded, path = (os.path.join(place, f"{name}.onnx") for name in ("int8", "tensors"))
            _quantize(self._exact, Path(rounded), self._images, ())
            loss.modify_model_output_intermediate_tensors(rounded, path)
            some = self._images[:: -(-len(self._images) // _COMPARED)]
            tensors = loss.create_activation_matching(loss.collect_activations(path, _reader(self._exact, some)))
            weights = loss.create_weight_matching(str(self._exact), rounded)
        ratio = {name: signal_to_error(one["float"], one["dequantized"], 1) for name, one in weights.items()}
        for value in runtime("onnx", "onnx").load(self._exact).graph.value_info:
            axes = [axis.dim_value or 1 for axis in value.type.tensor_type.shape.dim]
            if (each := tensors.get(value.name)) and len(axes) > 1:
                found = []
                for count, is_first in ((axes[1], True), (axes[-1], False)):
                    exact, after = (_channels(each[name], count, is_first) for name in ("pre_qdq", "post_qdq"))
                    found.append(signal_to_error(exact.clip(after.min(), after.max()), after, 0))
                ratio[value.name] = min(found)
        return ratio

    def write(self, kept: Sequence[str], model: ZooModel, folder: Path) -> None:
        """Write the model's file into a folder; the operations `kept` stay in float32."""
        _quantize(self._exact, folder / FILE, self._images, kept)
        described(model, folder / FILE)


def _channels(images: Sequence[np.ndarray], count: int, is_first: bool) -> np.ndarray:
    """`(channels, values)` of tensors that the library gives flat, with channels first or last."""
    return np.concatenate([one.reshape(count, -1) if is_first else one.reshape(-1, count).T for one in images], axis=1)


def _simplified(exact: Path) -> Path:
    """The same file with batch normalisation in the convolutions: apart from them, eight bits would round it again."""
    shape_inference: Any = runtime("onnxruntime.quantization.shape_inference", "onnx")
    target = exact.with_name("simplified.onnx")
    shape_inference.quant_pre_process(str(exact), str(target), skip_symbolic_shape=True)
    library: Any = runtime("onnx", "onnx")
    proto = library.load(target)
    for node in proto.graph.node:  # the converter names convolutions by numbers, but their weights by the layer
        node.name = "/".join((node.name, *node.input[1:2]))
    library.save(proto, target)
    return target


def _quantize(exact: Path, target: Path, images: Sequence[np.ndarray], kept: Sequence[str]) -> None:
    quantization: Any = runtime("onnxruntime.quantization", "onnx")
    # Weights in 7 bits: processors without VNNI add two products in 16 bits, which those of 8 overflow.
    quantization.quantize_static(
        str(exact),
        str(target),
        _reader(exact, images),
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        reduce_range=True,
        nodes_to_exclude=list(kept),
    )


def _reader(exact: Path, images: Sequence[np.ndarray]) -> Any:
    """The images as ONNX Runtime asks for them, one after another."""
    quantization: Any = runtime("onnxruntime.quantization", "onnx")
    session = runtime("onnxruntime", "onnx").InferenceSession(str(exact), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self.rewind()

        def rewind(self) -> None:
            self.left: Iterator[np.ndarray] = iter(images)

        def get_next(self) -> dict[str, np.ndarray] | None:
            image = next(self.left, None)
            return None if image is None else {name: image[None].astype("float32")}

    return Reader()
