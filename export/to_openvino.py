"""OpenVINO, the fastest of the formats on Intel's processors: by itself it computes in bfloat16 where they have it."""

import functools
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from zoo.export.converted import convert, input_signature, runtime
from zoo.export.verification import Outputs
from zoo.model import ZooModel

FILE = "model.xml"


def openvino(
    model: ZooModel | str,
    output_dir: str | os.PathLike[str],
    *,
    version: int | None = None,
    allow_random: bool = False,
) -> Path:
    """Write `<output_dir>/<name>-openvino/<version>/model.xml` and `model.bin`, run it with OpenVINO and compare.

    It takes float32 raw pixels from 0 to 255, any batch, and any size where the model does. It is compared in float32
    and in the precision that OpenVINO chooses by itself on this processor (the hint is `INFERENCE_PRECISION_HINT`).

    Args:
        model: A model from `zoo.load`, or a handle for it.
        output_dir: Where models lie.
        version: A number from 1; None for the next.
        allow_random: Export a model that has random weights too.

    Returns:
        The folder of the version; `export.json` in it states how far the outputs differ from the Keras model's.

    Raises:
        ExportError: As `saved_model`, or OpenVINO has not every operation of the model; the message names the layer.
        MissingExtraError: The runtime is not installed: `layerzoo[openvino]`.
        AccessError, InputError: As `saved_model`.
    """
    runtime("openvino", "openvino")

    def write(model: ZooModel, folder: Path) -> None:
        signature = input_signature(model, None, None)
        model.export(str(folder / FILE), format="openvino", input_signature=signature, verbose=False)

    return convert(
        model,
        output_dir,
        "openvino",
        write=write,
        runners={"float32": run, "by itself": functools.partial(run, precision=None)},
        version=version,
        allow_random=allow_random,
    )


def opened(folder: Path, precision: str | None = "f32") -> Callable[[np.ndarray], Outputs]:
    """The network in OpenVINO on the processor, in `precision` or what it chooses by itself: from inputs to outputs."""
    core = runtime("openvino", "openvino").Core()
    options = {} if precision is None else {"INFERENCE_PRECISION_HINT": precision}
    compiled = core.compile_model(str(folder / FILE), "CPU", options)
    return lambda inputs: {"output": compiled(inputs)[0].copy()}  # the next call writes over it


def run(folder: Path, inputs: np.ndarray, precision: str | None = "f32") -> Outputs:
    """The network's outputs in OpenVINO."""
    return opened(folder, precision)(inputs.astype("float32"))
