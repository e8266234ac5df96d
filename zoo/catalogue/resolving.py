"""From a handle to an `Entry`: all that is known of the model, without building it. No TensorFlow here."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zoo.catalogue import notices
from zoo.catalogue.descriptions import LARGEST_BYTES, read_description, read_folder, read_keras_file
from zoo.catalogue.entry import Entry
from zoo.catalogue.handles import Handle, check_options, parse
from zoo.catalogue.registry import registry
from zoo.catalogue.source import Source
from zoo.errors import InputError, OfflineError, UnknownModelError

if TYPE_CHECKING:
    from zoo.bundles.reading import Bundle


class Located(NamedTuple):
    """An entry, and the handle that it was found by."""

    entry: Entry
    handle: Handle

    @property
    def folder(self) -> Path | None:
        """The folder on this machine that contains its file; None where the Hub or the package does."""
        return self.handle.path if self.handle.kind == "folder" else None


def resolve(
    handle: str | os.PathLike[str] | Handle,
    *,
    revision: str | None = None,
    cache_dir: str | os.PathLike | None = None,
    token: str | bool | None = None,
    offline: bool | None = None,
) -> Located:
    """Find the entry that `handle` means. `hf://` handles may download the repository's small description.

    Raises:
        InputError: Not a handle, or `revision` is given twice, or where nothing is downloaded.
        UnknownModelError, RegistryError, OfflineError, AccessError, IntegrityError: As `zoo.load`.
    """
    parsed = parse(handle, revision=revision)
    check_options(cache_dir=cache_dir, token=token, offline=offline)
    if parsed.kind == "hub":
        options = {"cache_dir": cache_dir, "token": token, "offline": offline}
        return Located(_hub_entry(Source(parsed.name), parsed.revision, **options), parsed)
    if parsed.kind == "bundle":
        bundle, name = in_bundle(parsed)
        return Located(bundle.entry(name, cache_dir), parsed)
    if parsed.path is not None:
        read = read_keras_file if parsed.kind == "keras" else read_folder
        return Located(read(parsed.path), parsed)
    entry = registry().find(parsed.name)
    if os.path.isfile(os.path.join(parsed.name, "zoo.json")):
        notices.warn_of_folder(parsed.name)
    if parsed.revision is None:
        return Located(entry, parsed)
    if not entry.is_on_hub:
        raise InputError(
            f"{entry.name} has no revisions: its weights are {entry.source}. Leave out {parsed.revision!r}; a folder "
            "of that name is written with ./ before it."
        )
    # A pin belongs to the registry's own revision; another one is verified against what the Hub declares.
    return Located(entry.model_copy(update={"revision": parsed.revision, "sha256": None}), parsed)


def info(
    handle: str | os.PathLike[str] | Handle,
    *,
    revision: str | None = None,
    cache_dir: str | os.PathLike | None = None,
    token: str | bool | None = None,
    offline: bool | None = None,
) -> Entry:
    """Everything that is known about a model, without building it and without importing TensorFlow.

    Where the registry pins no commit, `revision` and `sha256` are those that the first download recorded here.

    Args:
        handle: A name, `hf://owner/repo[@revision]`, a folder, a `.keras` file or `bundle.tar#name`, as
            `zoo.load` takes it.
        revision: Commit, tag or branch on the Hub, where the handle has no `@`.
        cache_dir, token, offline: As in `zoo.load`; of a repository only its description is downloaded.

    Raises:
        UnknownModelError: No such model; the message offers the nearest names.
        RegistryError: A description does not follow its schema.
        OfflineError, AccessError, IntegrityError, InputError: As `zoo.load`.

    Example:
        >>> import zoo
        >>> zoo.info("resnet50").license
        'apache-2.0'
    """
    located = resolve(handle, revision=revision, cache_dir=cache_dir, token=token, offline=offline)
    entry = located.entry
    if located.handle.path is not None or not entry.is_on_hub or entry.sha256:
        return entry
    record = entry.where.recorded(entry.filename, revision=entry.revision, cache_dir=cache_dir)
    if record is None:
        return entry
    return entry.model_copy(update={"revision": record.revision, "sha256": record.sha256})


def in_bundle(handle: Handle) -> tuple["Bundle", str]:
    """The bundle that a handle of this kind means, and the model's name there.

    Raises:
        IntegrityError, OfflineError: The bundle cannot be read.
        UnknownModelError: It has no such model.
    """
    from zoo.bundles.reading import Bundle, split

    where, name = split(handle.name) or (handle.name, "")
    bundle = Bundle(where)
    return bundle, bundle.find(name)


def _hub_entry(source: Source, revision: str | None, **options: Any) -> Entry:
    def known(filename: str) -> bool:
        return source.recorded(filename, revision=revision, cache_dir=options["cache_dir"]) is not None

    options["largest_bytes"] = LARGEST_BYTES
    # What an earlier load found is asked for first: it needs no network.
    first, second = sorted(("zoo.json", "config.json"), key=known, reverse=True)
    try:
        file = source.fetch(first, revision=revision, **options)
    except (UnknownModelError, OfflineError) as neither:
        # Without a network: an earlier load may have found at another name of the commit that there is no zoo.json.
        is_offline = isinstance(neither, OfflineError)
        try:
            file = source.fetch(second, revision=revision, **{**options, **({"offline": True} if is_offline else {})})
        except (UnknownModelError, OfflineError):
            raise neither from None
    entry = read_description(file.path, source)
    facts: dict[str, Any] = {"name": source.repo_id, "source": source, "revision": file.revision}
    if entry.base is not None and entry.base.source == source:  # it is the very checkpoint
        facts["base"] = None
    return entry.model_copy(update=facts)
