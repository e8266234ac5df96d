"""OpenVINO, the fastest of the formats on Intel's processors: by itself it computes in bfloat16 where they have it."""

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo.export.converted import check_weight_dtype, convert, fed, input_signature, output_names, runtime
from zoo.export.exportable import exportable
from zoo.export.rounded import photographs
from zoo.export.verification import Outputs
from zoo.model import ZooModel

FILE = "model.xml"


def openvino(
    model: ZooModel | str,
    output_dir: str | os.PathLike[str],
    *,
    weight_dtype: str | None = None,
    version: int | None = None,
    allow_random: bool = False,
) -> Path:
    """Write `<output_dir>/<name>-openvino/<version>/model.xml` and `model.bin`, run it with OpenVINO and compare.

    It takes float32 raw pixels from 0 to 255, any batch, and any size where the model does. It is compared in float32
    and in the precision that OpenVINO chooses by itself on this processor (the hint is `INFERENCE_PRECISION_HINT`).

    Args:
        model: A model from `zoo.load`, or a handle for it.
        output_dir: Where models lie.
        weight_dtype: Store the weights as `"float16"`, half the size; the file is measured on photographs, and not
            written where too little of the outputs is left.
        version: A number from 1; None for the next.
        allow_random: Export a model that has random weights too.

    Returns:
        The folder of the version; `export.json` in it states how far the outputs differ from the Keras model's.

    Raises:
        ExportError: As `saved_model`, or OpenVINO has not every operation of the model; the message names the layer.
        MissingExtraError: The runtime is not installed: `layerzoo[openvino]`.
        AccessError, InputError: As `saved_model`.

    Example:
        >>> import tempfile, zoo.export
        >>> path = zoo.export.openvino("espcn-x2", tempfile.mkdtemp())
        >>> path.parent.name, (path / "model.xml").is_file()
        ('espcn-x2-openvino', True)
    """
    check_weight_dtype(weight_dtype, ("float16",))
    runtime("openvino", "openvino")

    def write(model: ZooModel, folder: Path) -> None:
        signature = input_signature(model, None, None)
        model.export(str(folder / FILE), format="openvino", input_signature=signature, verbose=False)
        own_outputs(folder / FILE, in_float16=weight_dtype is not None)

    model = exportable(model, allow_random=allow_random)
    return convert(
        model,
        output_dir,
        "openvino",
        write=write,
        runners={weight_dtype or "float32": run, "by itself": functools.partial(run, precision=None)},
        exact=weight_dtype is None,
        images=None if weight_dtype is None else photographs(model),
        version=version,
        allow_random=allow_random,
    )


def own_outputs(path: Path, *, in_float16: bool = False) -> None:
    """Leave the network's own outputs in a file, by our names: the converter adds shapes that some layers compute."""
    library = runtime("openvino", "openvino")
    core = library.Core()
    core.set_property({"ENABLE_MMAP": False})  # the file is written over
    network = core.read_model(str(path))
    numbered = {}
    for output in network.outputs:
        for name in output.get_names():
            if own := re.fullmatch(r"Identity(?:_(\d+))?:0", name):
                numbered[int(own[1] or 0)] = output
    outputs = [numbered[number] for number in sorted(numbered)]
    for output, name in zip(outputs, output_names(len(outputs)), strict=True):
        output.get_tensor().set_names({name})
    own = library.Model(
        [output.get_node() for output in outputs], network.get_parameters(), network.get_friendly_name()
    )
    library.save_model(own, str(path), compress_to_fp16=in_float16)


def opened(folder: Path, precision: str | None = "f32") -> Callable[[Any], Outputs]:
    """The network in OpenVINO on the processor, in `precision` or what it chooses by itself: from inputs to outputs."""
    core = runtime("openvino", "openvino").Core()
    options = {} if precision is None else {"INFERENCE_PRECISION_HINT": precision}
    return answering(core.compile_model(str(folder / FILE), "CPU", options))


def answering(compiled: Any) -> Callable[[Any], Outputs]:
    """A compiled network: from inputs to outputs."""
    taken = [one.get_any_name() for one in compiled.inputs]
    names = output_names(len(compiled.outputs))

    def answer(inputs: Any) -> Outputs:
        outputs = compiled(fed(taken, inputs))
        return {name: outputs[place].copy() for place, name in enumerate(names)}  # the next call writes over them

    return answer


def run(folder: Path, inputs: Any, precision: str | None = "f32") -> Outputs:
    """The network's outputs in OpenVINO."""
    return opened(folder, precision)(inputs)
