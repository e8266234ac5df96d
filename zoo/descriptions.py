"""Descriptions of models as they are found: our `zoo.json`, timm's `config.json`, and the spec in a `.keras` file.

They come from strangers. Imports no TensorFlow.
"""

import json
import os
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zoo.errors import AccessError, RegistryError, UnknownModelError
from zoo.registry import Entry, Input, registry

# Lists in zoo/labels/ by their number of classes.
IMAGENET = {1000: "imagenet-1k", 11_821: "imagenet-12k", 21_841: "imagenet-22k", 21_843: "imagenet-21k-goog"}
LARGEST_BYTES = 16_000_000  # the names of 22,000 classes take 1 MB


def read_folder(folder: Path) -> Entry:
    """Read the description that lies in a folder.

    Raises:
        UnknownModelError: There is none.
        RegistryError: It is not as it should be.
        AccessError: The folder cannot be read.
    """
    try:
        names = os.listdir(folder)
    except PermissionError as error:
        raise AccessError(f"{folder} cannot be read ({error.strerror}). Ask its owner, or choose another.") from error
    except (OSError, ValueError):  # there is none, or no file system takes such a name
        names = []
    for name in ("zoo.json", "config.json"):
        if name in names:
            return read_description(folder / name, os.fspath(folder))
    raise UnknownModelError(
        f"{str(folder)[:200]} is not a model. Expected a folder with zoo.json or timm's config.json, and its "
        ".safetensors file."
    )


def read_keras_file(path: Path) -> Entry:
    """Read the spec that `model.save` wrote into a `.keras` file.

    Raises:
        UnknownModelError: There is no such file.
        RegistryError: Not a file of Keras 3, or of another model than one of `zoo.load`.
        AccessError: It cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.getinfo("config.json")
            if member.file_size > LARGEST_BYTES:
                raise ValueError(f"its config.json has {member.file_size:,} bytes")
            config = json.loads(archive.read(member))
    except FileNotFoundError as error:
        raise UnknownModelError(
            f"There is no file {path}. Expected a model saved with model.save('name.keras')."
        ) from error
    except PermissionError as error:
        raise AccessError(f"{path} cannot be read ({error.strerror}). Ask its owner, or choose another.") from error
    except (OSError, ValueError, KeyError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        raise RegistryError(
            f"{path} is not a file of Keras 3 ({error}). Expected a model saved with model.save('name.keras')."
        ) from error
    if not isinstance(config, dict) or config.get("class_name") != "ZooModel":
        raise RegistryError(
            f"{path} contains a Keras model that zoo.load did not make. Expected one of zoo.load, saved with "
            "model.save('name.keras'); keras.saving.load_model reads this one."
        )
    inner = config.get("config")
    try:
        return Entry.model_validate(inner.get("spec") if isinstance(inner, dict) else None)
    except ValidationError as error:
        raise _invalid(error, f"The spec in {path}") from error


def read_description(path: Path, where: str) -> Entry:
    """Read a `zoo.json` or `config.json`; messages name it as one of `where`.

    Raises:
        RegistryError: It is not as it should be.
        UnknownModelError: The architecture is not one of ours.
    """
    try:
        content = json.loads(path.read_bytes())
        if path.name == "zoo.json":
            return Entry.model_validate(content)
        return _timm_entry(content, where)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RegistryError(
            f"{path.name} of {where} is not JSON ({error}). Expected the model's description."
        ) from error
    except ValidationError as error:
        raise _invalid(error, f"{path.name} of {where}") from error


def _invalid(error: ValidationError, what: str) -> RegistryError:
    first = error.errors(include_url=False)[0]
    key = ".".join(map(str, first["loc"]))
    return RegistryError(f"{what}: {key}: {first['msg']}, got {first['input']!r}.")


def _timm_entry(content: dict[str, Any], where: str) -> Entry:
    """timm's `config.json`, in both of its shapes: with `pretrained_cfg`, or with everything on one level."""
    pretrained = content.get("pretrained_cfg") or content
    name = str(content.get("architecture") or pretrained.get("architecture"))
    if name not in registry().default_names:
        raise UnknownModelError(
            f"{where} holds the architecture {name!r}. Expected one that `zoo list` shows; others cannot be built here."
        )
    unknown = set(content.get("model_args") or {}) - {"num_classes"}
    if unknown:
        raise RegistryError(
            f"config.json of {where} changes the architecture by model_args {sorted(unknown)}. Expected "
            "only num_classes; such a variant cannot be built here."
        )
    base = registry().entries.get(f"{name}.{pretrained.get('tag')}", registry().find(name))
    num_classes = content.get("num_classes", pretrained.get("num_classes", 1000))
    headless = num_classes == 0 or (base.task == "image-features" and num_classes == base.num_classes)
    return base.model_copy(
        update={
            "tag": pretrained.get("tag"),
            "filename": "model.safetensors",
            "format": "timm",
            "task": "image-features" if headless else "image-classification",
            "license": pretrained.get("license") or "other",
            "input": _timm_input(pretrained),
            "labels": _timm_labels(content.get("label_names"), pretrained, num_classes),
            "num_classes": num_classes,
            "sha256": None,
            "metrics": {},
            "measured": None,
        }
    )


def _timm_labels(names: list[str] | None, pretrained: dict[str, Any], num_classes: int) -> str | tuple[str, ...] | None:
    """The file's own names, or ImageNet's: timm leaves them out, and ends tags in the data set (`..._in12k_384`)."""
    names = names or pretrained.get("label_names")
    if names:
        return tuple(names)
    is_imagenet = re.search(r"in\d+k(_\d+)?$", pretrained.get("tag", "in1k"))
    return IMAGENET.get(num_classes) if is_imagenet else None


def _timm_input(pretrained: dict[str, Any]) -> Input:
    return Input(
        size=pretrained["input_size"][-1],
        interpolation=pretrained.get("interpolation", "bicubic"),
        crop=pretrained.get("crop_pct", 0.875),
        crop_mode=pretrained.get("crop_mode", "center"),
        mean=tuple(pretrained.get("mean", (0.485, 0.456, 0.406))),
        std=tuple(pretrained.get("std", (0.229, 0.224, 0.225))),
    )
