"""ONNX, for ONNX Runtime and all that reads its files."""

import contextlib
import gc
import json
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import zoo
from zoo.errors import InputError
from zoo.export.converted import check_weight_dtype, convert, fed, input_signature, output_names, runtime
from zoo.export.explanations import with_map
from zoo.export.exportable import exportable
from zoo.export.onnx_operations import register_operations
from zoo.export.onnx_weights import compress_weights
from zoo.export.rounded import photographs
from zoo.export.verification import Outputs
from zoo.model import ZooModel

FILE = "model.onnx"
_PER_OUTPUT = 13  # the first operator set that has scales per output
AXES = {3: ("batch", "time"), 4: ("batch", "height", "width"), 5: ("batch", "depth", "height", "width")}  # by rank
OPSETS = range(9, 19)  # those that tf2onnx 1.17 writes; below them ONNX Runtime gives NaN


def onnx(
    model: ZooModel | str,
    output_dir: str | os.PathLike[str],
    *,
    version: int | None = None,
    opset: int | None = None,
    weight_dtype: str | None = None,
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
        weight_dtype: Store the weights as `"float16"`, half the size, or `"int8"`, a quarter, with a scale per
            output (operator set 13 or later), from which the runtime makes float32; the file is
            measured on photographs, and not written where too little of the outputs is left.
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

    Example:
        >>> import tempfile, zoo.export
        >>> path = zoo.export.onnx("espcn-x2", tempfile.mkdtemp())
        >>> path.parent.name, (path / "model.onnx").is_file()
        ('espcn-x2-onnx', True)
    """
    if opset is not None and (isinstance(opset, bool) or not isinstance(opset, int) or opset not in OPSETS):
        expected = f"a whole number from {OPSETS[0]} to {OPSETS[-1]}"
        raise InputError(f"opset={opset!r}. Expected {expected}; leave it out for the converter's own choice.")
    check_weight_dtype(weight_dtype)
    if weight_dtype == "int8" and opset is not None and opset < _PER_OUTPUT:
        raise InputError(
            f"opset={opset} with weight_dtype='int8'. Expected {_PER_OUTPUT} or later, or to leave it out."
        )
    for module in ("tf2onnx", "onnxruntime"):
        runtime(module, "onnx")
    register_operations()

    def write(model: ZooModel, folder: Path) -> None:
        network = with_map(model) if explain else model
        options = {"input_signature": input_signature(model, None, None), "opset_version": opset}
        try:
            with _graph_in_place():
                _exported(network, folder / FILE, options)
        except Exception:  # of a pass over the graph, it may be: it is left out where there is a copy
            _exported(network, folder / FILE, options)
        gc.collect()  # the converter's graphs refer to themselves, and hold the weights several times
        if weight_dtype is not None:
            compress_weights(folder / FILE, weight_dtype)
        described(model, folder / FILE)

    model = exportable(model, allow_random=allow_random)
    return convert(
        model,
        output_dir,
        "onnx",
        write=write,
        runners={weight_dtype or "float32": run},
        exact=weight_dtype is None,
        images=None if weight_dtype is None else photographs(model),
        explain=explain,
        version=version,
        allow_random=allow_random,
    )


def _exported(network: Any, path: Path, options: dict[str, Any]) -> None:
    with warnings.catch_warnings():  # Keras asks NumPy for names that it has given up, which tf2onnx needs
        warnings.filterwarnings("ignore", "In the future `np", FutureWarning)
        network.export(str(path), format="onnx", verbose=False, **options)


@contextlib.contextmanager
def _graph_in_place() -> Iterator[None]:
    """tf2onnx copies a graph with all weights before each of its passes, ten times and more, but where this is set."""
    name = runtime("tf2onnx.constants", "onnx").ENV_TF2ONNX_CATCH_ERRORS
    before = os.environ.get(name)
    os.environ[name] = "FALSE"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def described(model: ZooModel, path: Path) -> None:
    """Let the file speak for itself: names of its input, outputs and axes, and what the model is, as metadata."""
    from zoo.labels import read_labels

    library: Any = runtime("onnx", "onnx")
    proto, spec = library.load(path), model.spec
    inputs, outputs = proto.graph.input, proto.graph.output
    names = {value.name: name for value, name in zip(outputs, output_names(len(outputs)), strict=True)}
    if len(inputs) == 1:  # several have the model's names
        names[inputs[0].name] = model.inputs[0].name
    for node in proto.graph.node:
        for tensors in (node.input, node.output):
            for place, name in enumerate(tensors):
                tensors[place] = names.get(name, name)
    for value in (*inputs, *outputs):
        value.name = names.get(value.name, value.name)
    axes = {value.name: AXES.get(len(value.type.tensor_type.shape.dim), ("batch",)) for value in inputs}
    for value in (*inputs, *outputs):
        for axis, dimension in zip(axes.get(value.name, ("batch",)), value.type.tensor_type.shape.dim, strict=False):
            if not dimension.HasField("dim_value"):
                dimension.dim_param = axis
    labels = read_labels(spec.labels)
    facts = {
        "name": spec.name,
        "license": spec.license,
        "layerzoo": zoo.__version__,
        "zoo.json": spec.model_dump_json(),
    }
    if labels:
        facts["labels"] = json.dumps(labels)
    library.helper.set_model_props(proto, facts)
    library.save(proto, path)


def opened(folder: Path) -> Callable[[Any], Outputs]:
    """The network in ONNX Runtime: from float32 inputs to its outputs, and their explanation where it was exported."""
    session = runtime("onnxruntime", "onnx").InferenceSession(str(folder / FILE), providers=["CPUExecutionProvider"])
    taken = [one.name for one in session.get_inputs()]
    names = output_names(len(session.get_outputs()))
    return lambda inputs: dict(zip(names, session.run(None, fed(taken, inputs)), strict=True))


def run(folder: Path, inputs: Any) -> Outputs:
    """The network's outputs in ONNX Runtime."""
    return opened(folder)(inputs)
