"""LiteRT files in 8 bits: the ranges are taken once, and TensorFlow's quantization debugger finds the operations that
are hurt and leaves them in float32."""

import contextlib
import csv
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from zoo.export.converted import input_signature, runtime
from zoo.export.rounded import signal_to_error, worst_first
from zoo.export.to_litert import FILE
from zoo.model import ZooModel

_COMPARED = 8  # images, to find out which operations are hurt


class Calibrated:
    """A model with the ranges that occur on images, to be written in 8 bits as often as one likes.

    Args:
        model: The model.
        place: A folder for files on the way.
        images: Prepared ones.
    """

    def __init__(self, model: ZooModel, place: Path, images: Sequence[np.ndarray]):
        some = images[:: -(-len(images) // _COMPARED)]
        self._some = [image for image in some if image.shape == some[0].shape]  # the debugger allocates once
        with _no_warnings():
            folder, signature = str(place / "saved_model"), input_signature(model, 1, model.spec.input.size)
            model.export(folder, format="tf_saved_model", input_signature=signature, verbose=False)
            converter = tf.lite.TFLiteConverter.from_saved_model(folder)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = _fed(images)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.experimental_enable_resource_variables = True  # as Keras does
            self._debugger = tf.lite.experimental.QuantizationDebugger(converter=converter)

    def sensitive_layers(self) -> list[str]:
        """The operations by their outputs, those first that 8 bits hurt most: by the lowest ratio of signal to error of
        what an operation gives and gets, in dB, each time rounded anew. Both sides of a tensor with a range that 8 bits
        do not cover have to stay in float32."""
        ratio = self._ratios()
        graph = (
            runtime("ai_edge_litert.schema_py_generated", "litert")
            .ModelT.InitFromPackedBuf(self._debugger.calibrated_model, 0)
            .subgraphs[0]
        )
        names = [tensor.name.decode() for tensor in graph.tensors]
        touched = {
            names[operator.outputs[0]]: [names[place] for place in (*operator.inputs, *operator.outputs) if place >= 0]
            for operator in graph.operators
        }
        return worst_first(touched, ratio)

    def _ratios(self) -> dict[str, float]:
        """Of signal to error, of each tensor that an operation gives in 8 bits."""
        with _no_warnings():
            options = tf.lite.experimental.QuantizationDebugOptions(layer_direct_compare_metrics={"ratio": _ratio})
            debugger = tf.lite.experimental.QuantizationDebugger(
                quant_debug_model_content=self._debugger.get_debug_quantized_model(),
                debug_dataset=_fed(self._some),
                debug_options=options,
            )
            debugger.run()
        table = io.StringIO()
        debugger.layer_statistics_dump(table)
        return {row["tensor_name"]: float(row["ratio"]) for row in csv.DictReader(io.StringIO(table.getvalue()))}

    def write(self, kept: Sequence[str], model: ZooModel, folder: Path) -> None:
        """Write the model's file into a folder; the operations with the outputs `kept` stay in float32."""
        with _no_warnings():
            self._debugger.options = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=list(kept))
            (folder / FILE).write_bytes(self._debugger.get_nondebug_quantized_model())


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    """TensorFlow's debugger runs its own interpreter, which warns of being that."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="tensorflow.lite")
        yield


def _ratio(exact: np.ndarray, rounded: np.ndarray, scale: float, zero: int) -> float:
    return signal_to_error(exact, (rounded.astype("float32") - zero) * scale, -1)


def _fed(images: Sequence[np.ndarray]) -> Callable[[], Iterator[list[np.ndarray]]]:
    """The images as the converter asks for them, one after another."""
    return lambda: ([image[None].astype("float32")] for image in images)
