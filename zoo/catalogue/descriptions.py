"""Descriptions of models as they are found: our `zoo.json`, `config.json` of timm and smp, the spec in a `.keras` file.

They come from strangers: no large file is read, every value is checked as what it is (`bounds.py`), and what is
built is a network like those of the registry, at most twice as large. Imports no TensorFlow.
"""

import functools
import json
import os
import reprlib
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from zoo.catalogue.bounds import leaves
from zoo.catalogue.builder_defaults import builder_defaults
from zoo.catalogue.decoder_names import OF_ALL, task_of
from zoo.catalogue.entry import Entry
from zoo.catalogue.registry import not_registered, registry
from zoo.catalogue.smp_config import VARIANTS, smp_entry
from zoo.catalogue.task_names import ONE_HEAD
from zoo.catalogue.timm_config import timm_entry
from zoo.catalogue.training_record import check_finished
from zoo.catalogue.upernet_config import upernet_entry
from zoo.errors import AccessError, RegistryError, UnknownModelError

LARGEST_BYTES = 16_000_000  # the names of 22,000 classes take 1 MB
_TIMES_AS_LARGE = 2


def read_folder(folder: Path) -> Entry:
    """Read the description that is in a folder.

    Raises:
        UnknownModelError: There is none.
        RegistryError: It is not as it should be.
        AccessError: The folder cannot be read.
        InputError: It contains a run of `zoo.finetune` that is unfinished.
    """
    check_finished(folder)
    try:
        names = os.listdir(folder)
    except PermissionError as error:
        raise AccessError(f"{folder} cannot be read ({error.strerror}). Ask its owner, or choose another.") from error
    except NotADirectoryError as error:
        raise UnknownModelError(
            f"{folder} is a file. Expected the folder that contains zoo.json or timm's config.json, a .keras file or "
            f"a name; a model in a bundle is {folder.name}#NAME, weights alone are for zoo.load(NAME, weights=FILE)."
        ) from error
    except (OSError, ValueError) as error:  # no file system takes such a name
        raise UnknownModelError(
            f"There is no folder {_short(str(folder))}. Expected one with zoo.json or timm's config.json, a .keras "
            "file, or a name that `zoo list` shows."
        ) from error
    for name in ("zoo.json", "config.json"):
        if name in names:
            return read_description(folder / name, os.fspath(folder))
    if "saved_model.pb" in names and (folder / "assets.extra" / "zoo.json").is_file():
        return read_description(folder / "assets.extra" / "zoo.json", os.fspath(folder))
    raise UnknownModelError(f"{folder} is not a model. Expected {_meant(folder, names)}.")


def _meant(folder: Path, names: list[str]) -> str:
    """What is a model, of what a folder contains; or what one would contain."""
    if "SHA256SUMS" in names:
        return f"a model in this unpacked bundle, {folder}#NAME, where NAME is a folder in {folder / 'models'}"
    for below in ("*", "*/assets.extra", "*/*", "*/*/assets.extra"):  # its versions, or those of all in a folder
        if found := sorted(folder.glob(f"{below}/export.json"))[-1:]:
            place = found[0].parent
            return f"a version of an export, such as {place.parent if place.name == 'assets.extra' else place}"
    return "a folder with zoo.json or timm's config.json, and its .safetensors file"


def read_description(path: Path, where: str) -> Entry:
    """Read a `zoo.json` or `config.json`; messages name it as one of `where`.

    Raises:
        RegistryError: It is not as it should be.
        UnknownModelError: The architecture is not one of ours.
        AccessError: It cannot be read.
    """
    what = f"{path.name} of {where}"
    content = _content(path, what)
    try:
        entry = Entry.model_validate(content) if path.name == "zoo.json" else _reader(content)(content, what)
    except ValidationError as error:
        raise _invalid(error, what) from error
    _check_network(entry, what)
    return entry


def _reader(content: dict[str, Any]) -> Callable[[dict[str, Any], str], Entry]:
    """What reads a `config.json`, by a key that only its library writes; timm's in every other case."""
    if "_model_class" in content:
        return smp_entry
    return upernet_entry if content.get("model_type") == "upernet" else timm_entry


def read_keras_file(path: Path) -> Entry:
    """Read the spec that `model.save` wrote into a `.keras` file.

    Raises:
        UnknownModelError: There is no such file.
        RegistryError: Not a file of Keras 3, or of another model than one of `zoo.load`.
        AccessError: It cannot be read.
    """
    if not path.is_file():
        raise UnknownModelError(f"There is no file {path}. Expected a model saved with model.save('name.keras').")
    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.getinfo("config.json")
            if member.file_size > LARGEST_BYTES:
                raise ValueError(f"its config.json has {member.file_size:,} bytes")
            config = json.loads(archive.read(member))
    except PermissionError as error:
        raise AccessError(f"{path} cannot be read ({error.strerror}). Ask its owner, or choose another.") from error
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
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


def _content(path: Path, what: str) -> dict[str, Any]:
    """The JSON object of a file."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            raise RegistryError(f"{what} is not a file of at most {LARGEST_BYTES:,} bytes. Expected JSON.")
        content = json.loads(path.read_bytes(), parse_constant=_no_number)
    except PermissionError as error:
        raise AccessError(f"{path} cannot be read ({error.strerror}). Ask its owner.") from error
    except (OSError, ValueError, RecursionError) as error:
        reason = "too many levels" if isinstance(error, RecursionError) else _short(str(error))
        raise RegistryError(f"{what} is not JSON ({reason}). Expected the model's description.") from error
    if not isinstance(content, dict):
        raise RegistryError(
            f"{what} contains a {type(content).__name__}. Expected a JSON object with the model's keys."
        )
    return content


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number of JSON")


def _invalid(error: ValidationError, what: str) -> RegistryError:
    first = error.errors(include_url=False)[0]
    key = _short(".".join(map(str, first["loc"])))
    got = "" if first["type"] in ("missing", "description") else f", got {reprlib.repr(first['input'])}"
    return RegistryError(f"{what}: {f'{key}: ' if key else ''}{first['msg']}{got}.")


def _short(text: str) -> str:
    return text if len(text) < 200 else f"{text[:200]}..."


def _check_network(entry: Entry, what: str) -> None:
    """Refuse what no network of the registry is like: another builder, other keys, or numbers far larger.

    Raises:
        RegistryError: Names the key.
    """
    ours = [each for each in registry().entries.values() if each.builder == entry.builder]
    if not ours and ":" in entry.builder:
        raise not_registered(what, entry.builder)
    if not ours:
        raise RegistryError(
            f"{what}: builder: {entry.builder!r} builds no network of this version. Expected one of the registry, as "
            "`zoo info` shows them; a newer layerzoo may have it."
        )
    tasks: set[str] = {each.task for each in ours}
    heads = set(ONE_HEAD)
    tasks |= heads if tasks & heads else set()
    if entry.decoder:
        tasks = {task_of(entry.decoder)} if registry().has_features(entry.builder) else tasks - {entry.task}
    if entry.task not in tasks:
        raise RegistryError(
            f"{what}: task: {entry.builder} makes no {entry.task}. Expected {' or '.join(sorted(tasks))}."
        )
    _check_config(entry.config, "config", entry.builder, _largest(entry.builder), what)
    if entry.decoder:
        _check_config(entry.decoder_config, "decoder_config", entry.decoder, _largest_decoder(entry.decoder), what)


def _check_config(
    config: dict[str, Any], name: str, builder: str, largest: dict[tuple[str, ...], float], what: str
) -> None:
    for path, total in _totals(config).items():
        key = f"{name}.{'.'.join(path)}"
        if path not in largest:
            raise RegistryError(
                f"{what}: {_short(key)}: no {builder} of this version has such a value. Expected those of the "
                "registry, as `zoo info` shows them; a newer layerzoo may have it."
            )
        if total > _TIMES_AS_LARGE * largest[path]:
            raise RegistryError(
                f"{what}: {key} comes to {total:g}. Expected at most {_TIMES_AS_LARGE * largest[path]:g}, "
                f"{_TIMES_AS_LARGE} times the largest {builder} of this version."
            )


@functools.cache
def _largest(builder: str) -> dict[tuple[str, ...], float]:
    """For each place in a config the largest total that the registry has, or the builder by default."""
    configs = [entry.config for entry in registry().entries.values() if entry.builder == builder]
    return _largest_of([*configs, *builder_defaults(builder), VARIANTS.get(builder, {})])


@functools.cache
def _largest_decoder(decoder: str) -> dict[tuple[str, ...], float]:
    """As `_largest`, of a decoder."""
    configs = [entry.decoder_config for entry in registry().entries.values() if entry.decoder == decoder]
    return _largest_of([*configs, *builder_defaults(f"decoders/{decoder}.{decoder}"), OF_ALL])


def _largest_of(configs: list[dict[str, Any]]) -> dict[tuple[str, ...], float]:
    largest: dict[tuple[str, ...], float] = {}
    for config in configs:
        for path, total in _totals(config).items():
            largest[path] = max(total, largest.get(path, 0))
    return largest


def _totals(config: dict[str, Any]) -> dict[tuple[str, ...], float]:
    """What the numbers at each place come to: those of a list together. How many there are counts too."""
    totals: dict[tuple[str, ...], float] = {}
    for path, value in leaves(config):
        number = abs(value) if isinstance(value, int | float) else 0
        totals[path] = totals.get(path, 0) + max(number, 1)
    return totals
