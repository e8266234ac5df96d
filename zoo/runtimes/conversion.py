"""What was converted for a runtime, in the cache: made once for weights, network and versions.

<cache_dir>/zoo-runtimes/<hash>/<name>-<format>/1      as `zoo.export` writes it
"""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from filelock import FileLock

import zoo
from zoo.errors import ExportError, ZooError
from zoo.hub.cache import RUNTIMES, cache_folder
from zoo.model import ZooModel
from zoo.weights.filling import digest
from zoo.whole import writable


class Conversion(NamedTuple):
    """How a network gets into a runtime.

    Attributes:
        format: Of `zoo.export`.
        distributions: Whose versions count, beside those of Keras and TensorFlow.
        writing: Options of the export.
        opening: Options of `zoo.export.load`.
    """

    format: str
    distributions: tuple[str, ...] = ()
    writing: Mapping[str, Any] = MappingProxyType({})
    opening: Mapping[str, Any] = MappingProxyType({})


_FOLDED = {"inference_only": True}
CONVERSIONS = {
    "tensorflow": Conversion("saved_model", writing=_FOLDED),
    "openvino": Conversion("openvino", ("openvino",)),
    "onnx": Conversion("onnx", ("onnxruntime", "tf2onnx")),
    "litert": Conversion("litert", ("ai-edge-litert",)),
    "tensorflow-bfloat16": Conversion("saved_model", writing={**_FOLDED, "dtype": "bfloat16"}),
    "openvino-bfloat16": Conversion("openvino", ("openvino",), opening={"dtype": "bfloat16"}),
}


def converted(model: ZooModel, runtime: str, cache_dir: str | os.PathLike[str] | None) -> Callable[[Any], Any]:
    """The model's network in a runtime, one of `CONVERSIONS`.

    Raises:
        ExportError: The runtime cannot run it.
        MissingExtraError: It is not installed.
        AccessError: The cache cannot be written.
    """
    how = CONVERSIONS[runtime]
    import zoo.export

    with locked_folder(model, [how.format, dict(how.writing)], how.distributions, cache_dir) as folder:
        try:
            return zoo.export.load(_written(model, folder, how), **how.opening)
        except ExportError as error:
            if not error.reason:
                raise
            raise ExportError(  # the advice of the export is for whoever writes one
                f"{model.spec.name} does not run in {runtime}: {error.reason}. Choose another runtime; keras runs "
                "every model.",
                reason=error.reason,
            ) from error


def _written(model: ZooModel, folder: Path, how: Conversion) -> Path:
    """The version in the folder, or a new one where there is none that is whole."""
    for version in folder.glob("*/1"):
        try:
            zoo.export.verify(version)
            return version
        except ZooError:  # damaged, or on a processor where it gives something else
            shutil.rmtree(version)
    return getattr(zoo.export, how.format)(model, folder, version=1, allow_random=True, **how.writing)


@contextlib.contextmanager
def locked_folder(
    model: ZooModel, facts: Sequence[Any], distributions: Sequence[str], cache_dir: str | os.PathLike[str] | None
) -> Iterator[Path]:
    """Where the cache has what depends on these facts, the network, its weights and the versions of distributions;
    within it no other process is at work there.

    Raises:
        AccessError: The cache cannot be written.
    """
    versions = {each: _version(each) for each in ("keras", "tensorflow", *distributions)}
    network = [zoo.__version__, model.spec.model_dump(mode="json"), model.input_shape, digest(model.weights)]
    hashed = hashlib.sha256(json.dumps([*facts, versions, *network], sort_keys=True).encode())
    folder = cache_folder(cache_dir) / RUNTIMES / hashed.hexdigest()[:32]
    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        yield folder


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
