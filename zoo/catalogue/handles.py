"""What a handle means: a name in the registry, `hf://owner/repo[@revision]`, a folder, a `.keras` file, or
`bundle.tar#name`.

It is parsed once, into a `Handle`; nobody else looks at its text. The first rule that holds decides:

1. A `Path`, or any `os.PathLike`, is a path, whatever it contains.
2. `hf://...`, or the address of another hub (`zoo/hub/hubs.py`), is a repository there, and what follows its first `@`
   a commit, tag or branch.
3. A name in the registry, alone or before an `@`, is that model: a folder of the same name in the working directory
   cannot take its place, and is written `./name`.
4. `bundle.tar#name`, where nothing is called by the whole text, is a model in a bundle (`zoo/bundles`): a file, an
   unpacked folder or its address before the last `#`.
5. A text that names a folder or file, contains a separator, begins with `~` or ends in `.keras` is a path, whatever `@`
   it contains.

A path that ends in `.keras` and is not a folder is Keras' file. A repository or folder is recognised by what is in
it: our `zoo.json`, or timm's `config.json` where the architecture is one of ours. No TensorFlow here.
"""

import os
import reprlib
from pathlib import Path
from typing import Any, Literal, NamedTuple

from zoo.catalogue.listing import is_name
from zoo.catalogue.source import Source
from zoo.errors import InputError, UnknownModelError
from zoo.hub.hubs import HUBS, find_hub, scheme_of
from zoo.hub.request import check_repo_id

LONGEST_NAME = 200  # characters; the registry's longest has 60


class Handle(NamedTuple):
    """What a handle means. `name` is the registry's, a repository as a `Source`, or `bundle.tar#name`; `path` lies on
    this machine."""

    kind: Literal["registry", "hub", "folder", "keras", "bundle"]
    name: str = ""
    revision: str | None = None
    path: Path | None = None


def parse(handle: str | os.PathLike[str] | Handle, *, revision: str | None = None) -> Handle:
    """Decide what a handle means, by the rules above, without network.

    Raises:
        InputError: Not a handle, or the revision is stated twice or to a path.
        UnknownModelError: Neither a path nor a handle, but a repository as others write it; says how to write it here.
            Or a model in a bundle that is not there.
    """
    if isinstance(handle, Handle):
        return handle
    text = _text(handle)
    if revision is not None and (not isinstance(revision, str) or not revision.strip()):
        raise InputError(f"revision={_shown(revision)}. Expected a commit, tag or branch of the repository, or None.")
    target, at, given = text.partition("@")
    if isinstance(handle, str):
        kind: Literal["hub", "registry"] = "hub" if scheme_of(target) else "registry"
        if kind == "registry" and text.find("#") > 0 and not os.path.lexists(text):
            _check_bundle(text)
            if revision is not None:
                raise InputError(
                    f"{_shown(text)} is in a bundle and has no revisions. Leave out revision={revision!r}."
                )
            return Handle("bundle", text)
        if kind == "hub" or _is_known(target, text) or not _is_path(text):
            name = _checked_source(target, text) if kind == "hub" else target.rstrip("/")
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
        InputError: It is not a path, or no file system takes it.
    """
    try:
        text = os.fsdecode(path)
    except TypeError as error:
        raise InputError(f"{_shown(path)} is not a path. Expected the path of a file or folder.") from error
    if "\0" in text:
        raise InputError(f"{_shown(text)} contains a NUL character. Expected the path of a file or folder.")
    return Path(os.path.expanduser(text))


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
        raise InputError(f"offline={_shown(offline)}. Expected True, False, or None for the value of HF_HUB_OFFLINE.")


def _text(handle: Any) -> str:
    """The handle as text.

    Raises:
        InputError: It is neither a text nor a path, is empty, or not a name that a model or file could have.
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
    return is_name(name) and not (os.sep in text and os.path.isdir(text))


def _check_bundle(text: str) -> None:
    """Refuse what is written as a model in a bundle where there is none.

    Raises:
        UnknownModelError: Says what is missing.
    """
    from zoo.bundles.archive import SUMS
    from zoo.bundles.reading import split

    if split(text) is not None:
        return
    _refuse_written_elsewhere(text)
    where, _, name = text.rpartition("#")
    path = path_of(where)
    reason = "is not a bundle: there is no such file or folder"
    if path.exists():
        reason = f"has no {SUMS}, so it is not a bundle" if path.is_dir() else "is a file"
    raise UnknownModelError(
        f"{_shown(where)} {reason}. Expected BUNDLE#NAME, the file or unpacked folder that `zoo bundle` wrote and a "
        f"model in it, such as zoo.tar#resnet50{'' if name else '; the name is missing'}."
    )


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
            f"The revision is stated twice: {text!r} and revision={revision!r}. Expected one; leave out either."
        )
    if not given.strip():
        raise InputError(f"Nothing follows the @ of {text!r}. Expected a commit, tag or branch, or leave out the @.")
    return given


def _checked_source(target: str, text: str) -> Source:
    """The repository that `target` is the address of, `text` with its revision."""
    scheme, _, name = target.partition("://")
    try:
        check_repo_id(name.rstrip("/"))
    except InputError as error:
        if meant := _written_here(text) or _written_here(text.removeprefix(f"{scheme}://")):
            raise InputError(f"{_shown(text)} is not a repository on the Hub. Expected {meant!r}.") from error
        raise InputError(
            f"{_shown(text)} is not a repository on the Hub. Expected '{scheme}://owner/name' or "
            f"'{scheme}://owner/name@revision', as the address of its page shows them."
        ) from error
    return Source.of(name.rstrip("/"), scheme)


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
            "on the Hub, 'http://host/folder#NAME' for a model in an unpacked bundle, or a path: download it first."
        )


def _written_here(text: str) -> str | None:
    """The handle for a repository that is written as elsewhere, or None where it is none."""
    if len(text) > LONGEST_NAME:
        return None
    return next((meant for scheme in HUBS if (meant := find_hub(scheme).meant(text))), None)


def _shown(value: Any) -> str:
    """Anything as a message quotes it: in one line, and not too long."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = LONGEST_NAME
    return short.repr(value)
