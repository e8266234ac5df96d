"""What a handle means: a name in the registry, `hf://owner/repo[@revision]`, a folder, or a `.keras` file.

It is parsed once, into a `Handle`; nobody else looks at its text. The first rule that holds decides:

1. A `Path`, or any `os.PathLike`, is a path, whatever it holds.
2. `hf://...` is a repository on the Hub, and what follows its first `@` a commit, tag or branch.
3. A name in the registry, alone or before an `@`, is that model: a folder of the same name in the working directory
   cannot take its place, and is written `./name`.
4. A text that names a folder or file, holds a separator, begins with `~` or ends in `.keras` is a path, whatever `@`
   it holds.

A path that ends in `.keras` and is not a folder is Keras' file. A repository or folder is recognised by what lies in
it: our `zoo.json`, or timm's `config.json` where the architecture is one of ours. No TensorFlow here.
"""

import os
import re
import reprlib
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

from zoo.catalogue import notices
from zoo.catalogue.descriptions import LARGEST_BYTES, read_description, read_folder, read_keras_file
from zoo.catalogue.entry import Entry
from zoo.catalogue.registry import registry
from zoo.catalogue.source import Source
from zoo.errors import InputError, OfflineError, UnknownModelError
from zoo.hub import fetching
from zoo.hub.request import check_repo_id

SCHEME = "hf://"  # how a handle of the Hub begins
LONGEST_NAME = 200  # characters; the registry's longest has 60
# A repository as timm, transformers and the address bar of a browser write it.
_ELSEWHERE = re.compile(
    r"(?P<scheme>(?:hf:/{0,2}|hf[-_]hub:/{0,2})?(?:(?:https?://)?(?:www\.)?(?:huggingface|hf)\.co/(?:models/)?)?)"
    r"(?!(?:www\.)?(?:huggingface|hf)\.co/)(?P<repo_id>\w[\w.-]*/\w[\w.-]*?)/*"
    r"(?:@(?P<at>[^@?#]+)|/(?:tree|blob|resolve|commit)/(?P<tree>[^/?#]+)[^?#]*)?/*(?:[?#].*)?",
    re.ASCII | re.IGNORECASE,
)


class Handle(NamedTuple):
    """What a handle means. `name` is the registry's name or `owner/repo`; `path` lies on this machine."""

    kind: Literal["registry", "hub", "folder", "keras"]
    name: str = ""
    revision: str | None = None
    path: Path | None = None


class Located(NamedTuple):
    """An entry, and the handle that it was found by."""

    entry: Entry
    handle: Handle

    @property
    def folder(self) -> Path | None:
        """The folder on this machine that contains its file; None where the Hub or the package does."""
        return self.handle.path if self.handle.kind == "folder" else None


def parse(handle: str | os.PathLike[str] | Handle, *, revision: str | None = None) -> Handle:
    """Decide what a handle means, by the rules above, without network.

    Raises:
        InputError: Not a handle, or the revision is given twice or to a path.
        UnknownModelError: Neither a path nor a handle, but a repository as others write it; says how to write it here.
    """
    if isinstance(handle, Handle):
        return handle
    text = _text(handle)
    if revision is not None and (not isinstance(revision, str) or not revision.strip()):
        raise InputError(f"revision={_shown(revision)}. Expected a commit, tag or branch of the repository, or None.")
    target, at, given = text.partition("@")
    if isinstance(handle, str):
        kind: Literal["hub", "registry"] = "hub" if target.startswith(SCHEME) else "registry"
        if kind == "hub" or _is_known(target, text) or not _is_path(text):
            name = target.removeprefix(SCHEME).rstrip("/")
            if kind == "hub":
                _check_repo_id(name, text)
            return Handle(kind, name, _one_revision(text, given.rstrip("/") if at else None, revision))
    path = path_of(text)
    if revision is not None:
        raise InputError(f"{_shown(text)} is a path and has no revisions. Leave out revision={revision!r}.")
    if isinstance(handle, str) and not os.path.lexists(path):
        _refuse_written_elsewhere(text)
    is_file = path.name.endswith(".keras") and not os.path.isdir(path)
    return Handle("keras" if is_file else "folder", path=path)


def path_of(path: str | os.PathLike[str]) -> Path:
    """A path as it was meant: `~` is the home folder.

    Raises:
        InputError: No file system takes it.
    """
    if "\0" in os.fsdecode(path):
        raise InputError(
            f"{_shown(os.fsdecode(path))} contains a NUL character. Expected the path of a file or folder."
        )
    return Path(os.path.expanduser(os.fsdecode(path)))


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
        return Located(_hub_entry(parsed.name, parsed.revision, **options), parsed)
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


def check_options(*, cache_dir: Any, token: Any, offline: Any) -> None:
    """Refuse what cannot say how to download.

    Raises:
        InputError: Names the argument.
    """
    try:
        is_folder = cache_dir is None or (os.fsdecode(cache_dir) != "" and not isinstance(cache_dir, bytes))
    except TypeError:
        is_folder = False
    if not is_folder:
        raise InputError(f"cache_dir={_shown(cache_dir)}. Expected the path of a folder, or None for the usual cache.")
    if not (token is None or token is False or (isinstance(token, str) and token)):
        raise InputError("token= is not a text. Expected a token of the Hub, None for the stored one, False for none.")
    if not (offline is None or isinstance(offline, bool)):
        raise InputError(f"offline={_shown(offline)}. Expected True, False, or None for what HF_HUB_OFFLINE says.")


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

    Example:
        >>> import zoo
        >>> zoo.info("resnet50").license
        'apache-2.0'

    Raises:
        UnknownModelError: No such model; the message offers the nearest names.
    """
    located = resolve(handle, revision=revision, cache_dir=cache_dir, token=token, offline=offline)
    entry = located.entry
    if located.handle.path is not None or not entry.is_on_hub or entry.sha256:
        return entry
    record = fetching.recorded(entry.repo_id, entry.filename, revision=entry.revision, cache_dir=cache_dir)
    if record is None:
        return entry
    return entry.model_copy(update={"revision": record.revision, "sha256": record.sha256})


def _hub_entry(repo_id: str, revision: str | None, **options: Any) -> Entry:
    def known(filename: str) -> bool:
        return fetching.recorded(repo_id, filename, revision=revision, cache_dir=options["cache_dir"]) is not None

    options["largest_bytes"] = LARGEST_BYTES
    # What an earlier load found is asked for first: it needs no network.
    first, second = sorted(("zoo.json", "config.json"), key=known, reverse=True)
    try:
        file = fetching.fetch(repo_id, first, revision=revision, **options)
    except (UnknownModelError, OfflineError) as neither:
        # Without a network: an earlier load may have learnt at another name of the commit that there is no zoo.json.
        is_offline = isinstance(neither, OfflineError)
        try:
            file = fetching.fetch(
                repo_id, second, revision=revision, **{**options, **({"offline": True} if is_offline else {})}
            )
        except (UnknownModelError, OfflineError):
            raise neither from None
    where = Source.of(repo_id)
    entry = read_description(file.path, where)
    facts: dict[str, Any] = {"name": repo_id, "source": where, "revision": file.revision}
    if entry.base is not None and entry.base.source == where:  # it is the very checkpoint
        facts["base"] = None
    return entry.model_copy(update=facts)


def _text(handle: Any) -> str:
    """The handle as text.

    Raises:
        InputError: It is neither a text nor a path, is empty, or is no name that a model or file could have.
    """
    try:
        text = os.fsdecode(handle) if isinstance(handle, str | os.PathLike) else ""
    except TypeError:
        text = ""
    is_path = not isinstance(handle, str) or _is_path(text)
    if text.strip() and "\0" not in text and (is_path or (len(text) <= LONGEST_NAME and text.isprintable())):
        return text
    raise InputError(
        f"handle={_shown(handle)}. Expected a text or a path: a name that `zoo list` shows, 'hf://owner/repo', a "
        "folder or a .keras file."
    )


def _is_known(name: str, text: str) -> bool:
    """Whether `text`, which begins with `name`, is a model of the registry; with a separator a folder comes first."""
    is_name = name in registry().entries or name in registry().default_names
    return is_name and not (os.sep in text and os.path.isdir(text))


def _is_path(text: str) -> bool:
    """Whether a text that is not a known name is a path."""
    separators = {os.sep, os.altsep} - {None}
    is_written_as_one = text.startswith("~") or text.endswith(".keras") or not separators.isdisjoint(text)
    return is_written_as_one or os.path.exists(text)


def _one_revision(text: str, given: str | None, revision: str | None) -> str | None:
    """The revision after the @, or the argument."""
    if given is None:
        return revision
    if revision is not None:
        raise InputError(
            f"The revision is given twice: {text!r} and revision={revision!r}. Expected one; leave out either."
        )
    if not given.strip():
        raise InputError(f"Nothing follows the @ of {text!r}. Expected a commit, tag or branch, or leave out the @.")
    return given


def _check_repo_id(name: str, text: str) -> None:
    try:
        check_repo_id(name)
    except InputError as error:
        if meant := _written_here(text) or _written_here(text.removeprefix(SCHEME)):
            raise InputError(f"{_shown(text)} is not a repository on the Hub. Expected {meant!r}.") from error
        raise InputError(
            f"{_shown(text)} is not a repository on the Hub. Expected 'hf://owner/name' or "
            "'hf://owner/name@revision', as the address of its page shows them."
        ) from error


def _refuse_written_elsewhere(text: str) -> None:
    """A path that is not there may be a repository as others write it, or an address.

    Raises:
        UnknownModelError: It is; says how to write it here.
    """
    if meant := _written_here(text):
        raise UnknownModelError(
            f"There is no folder {_shown(text)}. Expected one, or {meant!r} for the repository on the Hugging Face Hub."
        )
    if "://" in text:
        raise UnknownModelError(
            f"{_shown(text)} is an address, from which nothing is loaded. Expected 'hf://owner/name' for a repository "
            "on the Hub, or a path: download it first."
        )


def _written_here(text: str) -> str | None:
    """The handle for a repository that is written as elsewhere, or None where it is none."""
    found = _ELSEWHERE.fullmatch(text)
    if found is None or len(text) > LONGEST_NAME or (text.endswith(".keras") and not found["scheme"]):
        return None
    revision = found["at"] or unquote(found["tree"] or "")
    return Source.of(found["repo_id"]) + (f"@{revision}" if revision else "")


def _shown(value: Any) -> str:
    """Anything as a message quotes it: in one line, and not too long."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = LONGEST_NAME
    return short.repr(value)
