"""Models in one file, for machines without a network: weights, cards, licences and hashes.

zoo.bundle(["resnet50", "espcn-x2"], "zoo.tar")     on a machine with a network
zoo.load("zoo.tar#resnet50")                        on one without

SHA256SUMS                     of all files; `sha256sum -c` reads it
README.md                      the models, with their licences and origins
models.spdx.json               the same for machines (SPDX 2.3)
models/NAME/zoo.json           what is known of the model
models/NAME/README.md          its card
models/NAME/...                its weights, as they were published
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from zoo.bundles.archive import write_archive
from zoo.bundles.bill import bill_of
from zoo.bundles.reading import MODELS
from zoo.catalogue.entry import Entry
from zoo.catalogue.handles import path_of
from zoo.catalogue.licensing import is_non_commercial
from zoo.catalogue.registries import place_of
from zoo.catalogue.resolving import resolve
from zoo.errors import InputError
from zoo.printing import as_markdown
from zoo.whole import made_folder, whole_file


def bundle(
    models: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    token: str | bool | None = None,
    offline: bool | None = None,
) -> Path:
    """Write models into one tar file, from which `zoo.load("zoo.tar#NAME")` loads them without a network.

    What is not on this machine is downloaded, verified, first. The same models give the same file, byte for byte. It
    may be unpacked (`tar xf`): `zoo.load("folder#NAME")` reads the folder, and `zoo.load("http://host/folder#NAME")`
    what any server of static files shows of it.

    Args:
        models: One or several: names, `hf://owner/repo`, and folders from `zoo.save`, `zoo.finetune` or another bundle.
        output: The file to write; one that exists is replaced.
        cache_dir: As `zoo.load`.
        token: As `zoo.load`.
        offline: As `zoo.load`.

    Returns:
        The file.

    Raises:
        InputError: No models, two of one name, one without weights in a file of their own, or a name that cannot be
            that of a folder.
        AccessError: The file cannot be written.
        As `zoo.load`, for the models.

    Example:
        >>> import tempfile, zoo
        >>> path = zoo.bundle("espcn-x2", tempfile.mkdtemp() + "/zoo.tar")
        >>> zoo.load(f"{path}#espcn-x2").spec.name
        'espcn-x2.photos'
    """
    target = path_of(output)
    handles = [models] if isinstance(models, str | os.PathLike) else list(models)
    if not handles:
        raise InputError("There are no models to bundle. Expected at least one name or folder.")
    if target.is_dir():
        raise InputError(f"{target} is a folder. Expected the name of the file to write, such as {target}/zoo.tar.")
    entries: dict[str, Entry] = {}
    files: dict[str, Path | bytes] = {}
    for handle in handles:
        entry, weights, card = _found(handle, cache_dir=cache_dir, token=token, offline=offline)
        folder = f"{MODELS}/{entry.name}"
        if folder in entries:
            raise InputError(f"Two models are called {entry.name}. Expected each once; save one under another name.")
        entries[folder] = entry
        files[f"{folder}/zoo.json"] = f"{entry.model_dump_json(indent=2)}\n".encode()
        files[f"{folder}/README.md"] = card.encode()
        files[f"{folder}/{entry.filename}"] = weights
    files["README.md"] = _readme(entries.values()).encode()
    files["models.spdx.json"] = bill_of(entries).encode()
    with made_folder(target.parent), whole_file(target) as place:
        write_archive(files, place)
    return target


def _found(
    handle: str | os.PathLike[str],
    *,
    cache_dir: str | os.PathLike[str] | None,
    token: str | bool | None,
    offline: bool | None,
) -> tuple[Entry, Path, str]:
    """The model's entry, with the hash of its file; the file; and its card."""
    from zoo.export.card import model_card
    from zoo.export.record import digest
    from zoo.loading import pretrained_file

    located = resolve(handle, cache_dir=cache_dir, token=token, offline=offline)
    if located.handle.kind == "keras":
        raise InputError(
            f"{handle} is one file for Keras. Expected a folder: zoo.save(zoo.load(...), folder) writes it."
        )
    if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", located.entry.name):
        raise InputError(
            f"{located.entry.name!r} cannot be the name of a folder in a bundle. Save it under another name."
        )
    if located.entry.adapter is not None:
        raise InputError(
            f"{located.entry.name} is an adapter of {located.entry.adapter.base}, and a bundle is of whole models. "
            "Expected its base, or a model that was trained without lora."
        )
    options = {"cache_dir": cache_dir, "token": token, "offline": offline, "revision": located.entry.revision}
    entry, weights = pretrained_file(located, options)
    entry = entry.model_copy(update={"sha256": digest(weights)})
    own_card = located.folder and located.folder / "README.md"
    card = own_card.read_text("utf-8") if own_card and own_card.is_file() else f"{model_card(entry)}"
    return entry, weights, card.rstrip() + "\n"


def _readme(entries: Iterable[Entry]) -> str:
    rows = [
        f"| {as_markdown(entry.name)} | {entry.task} | {as_markdown(_license(entry))} | {_origin(entry)} |"
        for entry in sorted(entries, key=lambda entry: entry.name)
    ]
    return (
        "# Models\n\nA bundle of [layerzoo](https://pypi.org/project/layerzoo). It needs no network: "
        '`zoo.load("zoo.tar#NAME")`, or `zoo.load("FOLDER#NAME")` once it is unpacked. `zoo bundle --check` compares '
        "every byte; so does `sha256sum -c SHA256SUMS` in the folder. `models.spdx.json` has licences, origins and "
        "hashes for machines, and each model its card.\n\n"
        "| model | task | licence | origin |\n| --- | --- | --- | --- |\n" + "\n".join(rows) + "\n"
    )


def _license(entry: Entry) -> str:
    return f"{entry.license}{', not for commercial use' if is_non_commercial(entry.license) else ''}"


def _origin(entry: Entry) -> str:
    at = f" at `{entry.revision}`" if entry.revision else ""
    origin = (
        f"the package {place_of(entry.name).distribution}"
        if entry.is_embedded
        else as_markdown(entry.source or "a folder")
    )
    return f"{origin}{at}"
