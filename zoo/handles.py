"""What a handle means: a name in the registry, `hf://owner/repo[@revision]`, a folder, or a `.keras` file.

A repository or folder is recognised by what lies in it: our `zoo.json`, or timm's `config.json` where the architecture
is one of ours. No TensorFlow here.
"""

import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from zoo import hub
from zoo.errors import InputError, RegistryError, UnknownModelError
from zoo.registry import Entry, Input, registry

# Lists in zoo/labels/ by their number of classes.
IMAGENET = {1000: "imagenet-1k", 11_821: "imagenet-12k", 21_841: "imagenet-22k", 21_843: "imagenet-21k-goog"}


class Located(NamedTuple):
    """An entry, and the folder on this machine that holds its file (None where the hub or the package does)."""

    entry: Entry
    folder: Path | None = None


def resolve(
    handle: str,
    *,
    revision: str | None = None,
    cache_dir: str | os.PathLike | None = None,
    token: str | None = None,
    offline: bool | None = None,
) -> Located:
    """Find the entry that `handle` means. `hf://` handles may download the repository's small description.

    Raises:
        InputError: `revision` is given twice, or where nothing is downloaded.
        UnknownModelError, RegistryError, OfflineError, AccessError, IntegrityError: As `zoo.load`.
    """
    handle = os.fspath(handle)
    target, _, at = handle.partition("@")
    if at and revision is not None:
        raise InputError(
            f"The revision is given twice: {handle!r} and revision={revision!r}. Expected one; leave out either."
        )
    revision = at or revision
    if target.startswith("hf://"):
        repo_id = target.removeprefix("hf://").rstrip("/")
        return Located(_hub_entry(repo_id, revision, cache_dir=cache_dir, token=token, offline=offline))
    folder = Path(handle)
    if os.sep in handle or (folder.is_dir() and handle not in registry().default_names):
        return Located(_folder_entry(folder, revision), folder)
    entry = registry().find(target)
    if revision is None:
        return Located(entry)
    if not (entry.source or "").startswith("hf://"):
        raise InputError(f"{entry.name} has no revisions: its weights are {entry.source}. Leave out {revision!r}.")
    # A pin belongs to the registry's own revision; another one is verified against what the Hub declares.
    return Located(entry.model_copy(update={"revision": revision, "sha256": None}))


def is_keras_file(handle: str) -> bool:
    """Whether `handle` names a model saved by Keras."""
    return os.fspath(handle).endswith(".keras")


def info(
    handle: str,
    *,
    revision: str | None = None,
    cache_dir: str | os.PathLike | None = None,
    token: str | None = None,
    offline: bool | None = None,
) -> Entry:
    """Everything that is known about a model, without building it and without importing TensorFlow.

    Where the registry pins no commit, `revision` and `sha256` are those that the first download recorded here.

    Example:
        >>> import zoo
        >>> zoo.info("resnet50").license
        'apache-2.0'

    Raises:
        UnknownModelError: No such model; the message offers the nearest names.
    """
    if is_keras_file(handle):
        raise InputError(f"{handle} is a Keras file. Expected a name; use zoo.load({os.fspath(handle)!r}).spec.")
    entry = resolve(handle, revision=revision, cache_dir=cache_dir, token=token, offline=offline).entry
    if not (entry.source or "").startswith("hf://") or entry.sha256:
        return entry
    record = hub.recorded(repo_id(entry), entry.filename, revision=entry.revision, cache_dir=cache_dir)
    if record is None:
        return entry
    return entry.model_copy(update={"revision": record.revision, "sha256": record.sha256})


def repo_id(entry: Entry) -> str:
    """The Hub repository of an entry, `owner/name`."""
    return (entry.source or "").removeprefix("hf://")


def _hub_entry(repo_id: str, revision: str | None, **options: Any) -> Entry:
    def known(filename: str) -> bool:
        return hub.recorded(repo_id, filename, revision=revision, cache_dir=options["cache_dir"]) is not None

    # What an earlier load found is asked for first: it needs no network.
    first, second = sorted(("zoo.json", "config.json"), key=known, reverse=True)
    try:
        file = hub.fetch(repo_id, first, revision=revision, **options)
    except UnknownModelError as neither:
        try:
            file = hub.fetch(repo_id, second, revision=revision, **options)
        except UnknownModelError:
            raise neither from None
    where = f"hf://{repo_id}"
    entry = _described(file.path, where)
    return entry.model_copy(update={"name": repo_id, "source": where, "revision": file.revision})


def _folder_entry(folder: Path, revision: str | None) -> Entry:
    if revision is not None:
        raise InputError(f"{folder} is a folder and has no revisions. Leave out {revision!r}.")
    for name in ("zoo.json", "config.json"):
        if (folder / name).is_file():
            return _described(folder / name, str(folder))
    raise UnknownModelError(
        f"{folder} is no model. Expected a folder with zoo.json or timm's config.json, and its .safetensors file."
    )


def _described(path: Path, where: str) -> Entry:
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
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise RegistryError(f"{path.name} of {where}: {key}: {first['msg']}, got {first['input']!r}.") from error


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
