"""ONNX, for ONNX Runtime and all that reads its files."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from zoo.errors import InputError
from zoo.export.converted import convert, input_signature, runtime
from zoo.export.explanations import with_map
from zoo.export.onnx_operations import register_operations
from zoo.export.verification import Outputs
from zoo.model import ZooModel

FILE = "model.onnx"
OPSETS = range(9, 19)  # those that tf2onnx 1.17 writes; below them ONNX Runtime gives NaN


def onnx(
    model: ZooModel | str,
    output_dir: str | os.PathLike[str],
    *,
    version: int | None = None,
    opset: int | None = None,
    explain: bool = False,
    allow_random: bool = False,
) -> Path:
    """Write `<output_dir>/<name>-onnx/<version>/model.onnx`, run it with ONNX Runtime and compare.

    It takes float32 raw pixels from 0 to 255, any batch, and any size where the model does.

    Args:
        model: A model from `zoo.load`, or a handle for it.
        output_dir: Where models lie.
        version: A number from 1; None for the next.
        opset: ONNX's operator set, from 9 to 18; None for the converter's own choice.
        explain: Give a second output, `(batch, h, w)`: where the model sees its best class, 0 to 1, on its last map;
            see `zoo.explain`. Of a segmentation the confidence.
        allow_random: Export a model that has random weights too.

    Returns:
        The folder of the version; `export.json` in it states how far the outputs differ from the Keras model's.

    Raises:
        ExportError: As `saved_model`, or ONNX has not every operation of the model; the message names the layer. With
            `explain`, the head needs gradients.
        MissingExtraError: Converter or runtime are not installed: `layerzoo[onnx]`.
        AccessError, InputError: As `saved_model`.
    """
    if opset is not None and (isinstance(opset, bool) or not isinstance(opset, int) or opset not in OPSETS):
        expected = f"a whole number from {OPSETS[0]} to {OPSETS[-1]}"
        raise InputError(f"opset={opset!r}. Expected {expected}; leave it out for the converter's own choice.")
    for module in ("tf2onnx", "onnxruntime"):
        runtime(module, "onnx")
    register_operations()

    def write(model: ZooModel, folder: Path) -> None:
        signature = input_signature(model, None, None)
        path = str(folder / FILE)
        network = with_map(model) if explain else model
        network.export(path, format="onnx", input_signature=signature, opset_version=opset, verbose=False)

    return convert(
        model,
        output_dir,
        "onnx",
        write=write,
        runners={"float32": run},
        explain=explain,
        version=version,
        allow_random=allow_random,
    )


def opened(folder: Path) -> Callable[[np.ndarray], Outputs]:
    """The network in ONNX Runtime: from float32 inputs to its outputs, and their explanation where it was exported."""
    session = runtime("onnxruntime", "onnx").InferenceSession(str(folder / FILE), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda inputs: dict(zip(("output", "explanation"), session.run(None, {name: inputs}), strict=False))


def run(folder: Path, inputs: np.ndarray) -> Outputs:
    """The network's outputs in ONNX Runtime."""
    return opened(folder)(inputs.astype("float32"))
