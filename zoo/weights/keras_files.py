"""Models that `model.save("name.keras")` wrote: checked before anything large is allocated, then read by Keras."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

import zoo.layers  # noqa: F401 (registers the layers that the file may contain)
from zoo.architectures import builder_module
from zoo.catalogue.descriptions import LARGEST_BYTES, read_keras_file
from zoo.errors import IntegrityError, RegistryError, WeightsMismatchError
from zoo.model import ZooModel
from zoo.weights.keras_state import abstract, unharmed

# Layers that are code, or that load some from elsewhere.
CODE = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}


@unharmed()
def load_keras_file(path: Path) -> ZooModel:
    """Load a model of the zoo, with its spec, and its optimizer where it was compiled.

    Raises:
        UnknownModelError: There is no such file.
        RegistryError: It is not a model that `zoo.load` made, or its description cannot be built.
        WeightsMismatchError: Its weights are not those of the network that it describes.
        IntegrityError: It is damaged, or unpacks to more than it should.
        AccessError: It cannot be read.
    """
    entry = read_keras_file(path)  # the spec, or a sentence
    if ":" in entry.builder:  # its module has the layers that the file may contain, and may be in a private registry
        builder_module(entry)
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if unpacked > path.stat().st_size + LARGEST_BYTES:
        raise IntegrityError(
            f"{path} is {path.stat().st_size:,} bytes and unpacks to {unpacked:,}. Expected a file as model.save "
            "writes it, which is not compressed; save it again."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except MemoryError:
        raise
    except Exception as error:  # a damaged directory fails in any way
        raise IntegrityError(f"{path} is damaged ({_short(error)}). Expected a whole file; copy it again.") from error
    if damaged is not None:
        raise IntegrityError(f"{path} is damaged in {damaged!r}. Expected a whole file; copy or save it again.")
    if code := next((name for name in _class_names(config) if name in CODE), None):
        raise RegistryError(
            f"{path} contains a {code} layer, which is code. Expected layers of Keras and of zoo.layers only; if you "
            "trust its author, keras.saving.load_model reads it with safe_mode=False."
        )
    _check_weights(path, config, sum(m.file_size for m in members if m.filename.startswith("model.weights")))
    try:
        return keras.saving.load_model(path)
    except MemoryError:
        raise
    except Exception as error:  # a damaged file fails in any way
        raise IntegrityError(
            f"{path} is damaged: Keras cannot read its weights ({_short(error)}). Expected a file as model.save writes "
            "it; save or copy it again."
        ) from error


def _check_weights(path: Path, config: dict[str, Any], stored_bytes: int) -> None:
    """Build the network without values, and compare how large its weights are with what the file contains."""
    try:
        with abstract():
            model = keras.saving.deserialize_keras_object({**config, "compile_config": None}, safe_mode=True)
        wanted = sum(_bytes(weight) for weight in model.weights)
    except MemoryError:
        raise
    except Exception as error:  # what a stranger's configuration makes Keras raise
        raise RegistryError(
            f"{path} describes a model that cannot be built ({_short(error)}). Expected one of zoo.load, saved with "
            "model.save('name.keras')."
        ) from error
    if wanted > stored_bytes:
        raise WeightsMismatchError(
            f"{path} does not fit its own description: the network has {wanted:,} bytes of weights, and the file "
            f"contains {stored_bytes:,}. Expected a whole file as model.save writes it; save it again."
        )


def _bytes(weight: keras.Variable) -> int:
    count = 1
    for length in weight.shape:
        count *= length
    return count * (2 if weight.dtype in ("float16", "bfloat16") else 4)


def _class_names(config: Any) -> Iterator[str]:
    if isinstance(config, dict):
        if isinstance(name := config.get("class_name"), str):
            yield name.rsplit(">", 1)[-1]
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            yield from _class_names(part)


def _short(error: Exception) -> str:
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {first:.150}" if first else type(error).__name__
