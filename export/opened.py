"""An export as a model: `zoo.predict` and `zoo.evaluate` call it, and its own runtime answers."""

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import architectures
from zoo.catalogue.handles import path_of
from zoo.errors import ExportError, InputError, ZooError
from zoo.export.record import digest, extras_of, read_record
from zoo.model import ZooModel
from zoo.tasks import find_task
from zoo.weights.filling import abstract


class ExportedModel:
    """An export in its own runtime: takes and gives what the Keras model did that it was exported from.

    It is called on batches, `model(images)`, and cannot be trained.

    Attributes:
        spec: The entry of the model.
        record: What `export.json` says.
        folder: The version of the export.
        format: `"saved_model"`, `"litert"`, `"onnx"` or `"openvino"`.
        network: The Keras model without its weights, whose shapes and layers say what the export takes.
        answer: Runs a batch in the runtime: from inputs to outputs by name.
    """

    def __init__(self, folder: Path, dtype: str = "float32"):
        self.record, self.spec = read_record(folder)
        self.folder, self.format = folder, self.record.format
        if dtype not in ("float32", "bfloat16") or (dtype == "bfloat16" and self.format != "openvino"):
            raise InputError(
                f"dtype={dtype!r} of {folder}, a {self.format}. Expected 'float32'; of an openvino 'bfloat16' too."
            )
        with abstract():
            self.network = architectures.build(self.spec)
        self.answer = _running(folder, self.format, {"precision": "bf16"} if dtype == "bfloat16" else {})
        self._size = (self.record.model_extra or {}).get("batch_size")

    @property
    def input(self) -> Any:
        """As `keras.Model.input`."""
        return self.network.input

    @property
    def output(self) -> Any:
        """As `keras.Model.output`."""
        return self.network.output

    @property
    def digest(self) -> str:
        """The SHA-256 of `export.json`, which contains those of all files: another one for another export."""
        return digest(extras_of(self.folder) / "export.json")

    def preprocess(self, source: Any) -> Any:
        """From one source to what the model takes, as `zoo.load(...).preprocess`."""
        return find_task(self.spec.task).prepare(source, self.spec)

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        """The outputs for a batch: float32, an array, or a dict of arrays where the model gives several.

        Raises:
            ExportError: The runtime refuses the inputs, such as images of another size than it was exported for.
        """
        batch = keras.tree.map_structure(lambda array: keras.ops.convert_to_numpy(array).astype("float32"), inputs)
        count = len(keras.tree.flatten(batch)[0])
        parts = [batch] if self._size is None else _parts(batch, count, self._size)
        try:
            found = [self.answer(part) for part in parts]
        except ZooError:
            raise
        except Exception as error:  # runtimes raise whatever they like
            shapes = [array.shape for array in keras.tree.flatten(batch)]
            raise ExportError(
                f"{self.folder} cannot be run on {shapes[0]} ({type(error).__name__}: {str(error)[:300]}). Expected "
                f"inputs of the size that it was exported for, {self.network.input_shape} or smaller in part."
            ) from error
        outputs = {name: np.concatenate([part[name] for part in found])[:count] for name in found[0]}
        return outputs.get("output", outputs)


def load(folder: str | os.PathLike[str], *, dtype: str = "float32") -> ExportedModel:
    """Open an export, to run it in its own runtime.

    `zoo.predict`, `zoo.predict_files`, `zoo.evaluate`, `zoo.choose` and `zoo demo` take the folder itself too.

    Args:
        folder: One version, as an export returned it.
        dtype: `"bfloat16"` to compute in it, of an OpenVINO export: faster on processors that have it. A SavedModel
            computes in what it was exported for.

    Raises:
        ExportError: Not an export of this library, or damaged.
        InputError: The format has no such `dtype`.
        MissingExtraError: The runtime of its format is not installed.

    Example:
        >>> import tempfile, numpy as np, zoo, zoo.export
        >>> folder = zoo.export.saved_model("espcn-x2", tempfile.mkdtemp())
        >>> zoo.export.load(folder)(np.zeros((1, 8, 6, 3))).shape
        (1, 16, 12, 3)
    """
    return ExportedModel(path_of(folder), dtype)


def layers_of(model: ZooModel | ExportedModel) -> ZooModel:
    """The Keras model whose layers say what a model takes: itself, or what an export was made from."""
    return model.network if isinstance(model, ExportedModel) else model


def is_export(path: Path) -> bool:
    """Whether the folder is one version of an export."""
    return (extras_of(path) / "export.json").is_file()


def _running(folder: Path, name: str, options: dict[str, str]) -> Callable[[Any], dict[str, np.ndarray]]:
    try:
        return importlib.import_module(f"zoo.export.to_{name}").opened(folder, **options)
    except ZooError:
        raise
    except Exception as error:
        raise ExportError(
            f"{folder} cannot be opened as {name} ({type(error).__name__}: {str(error)[:300]}). Export the model again."
        ) from error


def _parts(batch: Any, count: int, size: int) -> list[Any]:
    """Batches of the size that the export was made for; the last one is filled up with copies of its last example."""
    places = [np.minimum(np.arange(start, start + size), count - 1) for start in range(0, count, size)]
    return [keras.tree.map_structure(lambda array, chosen=chosen: array[chosen], batch) for chosen in places]
