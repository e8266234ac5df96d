"""Versioned folders that are whole or not there: `<output_dir>/<name>/1`, `2`, ...

A version is written into a hidden folder beside it and renamed, so a server that polls the folder never sees half of
it, a killed export leaves nothing that looks like a version, and two exporters at once get two versions.
"""

import contextlib
import errno
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.catalogue.handles import path_of
from zoo.errors import AccessError, ExportError, InputError
from zoo.whole import flush, flush_all, made_folder, writable

_PARTIAL = ".partial-"
_ORPHAN_SECONDS = 24 * 3600  # a partial folder this old belongs to a process that was killed
_LARGEST = 2**63 - 1  # TensorFlow Serving reads versions as int64
_LONGEST_BYTES = 200  # file systems take 255


class NewVersion:
    """A version being written: put files into `folder`; after the `with` block it is at `path`."""

    def __init__(self, folder: Path):
        self.folder = self.path = folder


def check_version(version: Any) -> None:
    """Check that it is a number from 1, or None.

    Raises:
        InputError: It is not.
    """
    if version is None:
        return
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= _LARGEST:
        raise InputError(f"version={version!r}. Expected a whole number from 1; leave it out for the next.")


def folder_name(name: str) -> str:
    """The folder of the model called `name`: `owner/name` of the Hub is `owner--name`, a path its last part.

    A name may come from a stranger's description, so whatever it contains, this is one visible folder.

    Raises:
        ExportError: Nothing of the name can be the name of a folder.
    """
    is_repository = re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name)
    parts = [part.strip() for part in re.split(r"[/\\]", name) if part.strip()]
    found = name.replace("/", "--") if is_repository else (parts or [""])[-1]
    if found.startswith(".") or not found.isprintable() or not 0 < len(os.fsencode(found)) <= _LONGEST_BYTES:
        raise ExportError(
            f"The model is called {name[:_LONGEST_BYTES]!r}, which cannot be the name of a folder. Expected letters, "
            "digits, '.', '-' and '_', not '.' first; zoo.save gives it the name of the folder that it is saved to."
        )
    return found


def free_place(output_dir: str | os.PathLike[str], name: str, version: int | None) -> Path:
    """The folder in which a model's versions lie, if the version may be written there.

    Raises:
        As `new_version`.
    """
    check_version(version)
    home = path_of(output_dir) / folder_name(name)
    for path in (home, *home.parents):
        if path.is_file():
            raise AccessError(f"{path} is a file. Expected a folder, or none yet; choose another output_dir.")
    if version is not None and (home / str(version)).exists():
        raise _exists(home, version)
    return home


@contextlib.contextmanager
def new_version(output_dir: str | os.PathLike[str], name: str, version: int | None) -> Iterator[NewVersion]:
    """Give a folder to fill, and rename it to the version when the block ends without an error.

    Where the block fails, or the disk is full, nothing is left: no partial folder, and none of the folders above it
    that were made for it.

    Args:
        output_dir: Where the models lie.
        name: The model's name, of which `folder_name` makes its folder.
        version: A number from 1; None for the highest that is there and one more.

    Raises:
        AccessError: `output_dir` cannot be written.
        ExportError: The version exists, or the name cannot be the name of a folder.
        InputError: The version is not a number from 1.
    """
    home = free_place(output_dir, name, version)
    partial = home / f"{_PARTIAL}{uuid.uuid4().hex}"
    with made_folder(home):
        with writable(home):
            _forget_orphans(home)
            partial.mkdir(parents=True)  # another exporter that failed may have removed the empty folder
        try:
            new = NewVersion(partial)
            with writable(home):
                yield new
                flush_all(partial)
                new.path = _publish(partial, home, version)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def disk_error(error: Exception) -> OSError | None:
    """What the disk refused, where `error` is such: an `OSError`, or TensorFlow's or OpenVINO's words for one."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    codes = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
    found = [code for code in codes if f"; {os.strerror(code)}" in str(error)]
    if "iostream error" in str(error):  # all that a C++ stream says
        found.append(errno.EIO)
    return OSError(found[0], os.strerror(found[0])) if found else None


def versions(home: Path) -> list[int]:
    """The versions in a model's folder, lowest first."""
    return sorted(int(path.name) for path in home.iterdir() if path.name.isdecimal())


def _publish(partial: Path, home: Path, version: int | None) -> Path:
    """Rename to the version: that fails where a whole version lies, so of two exporters one tries the next number."""
    while True:
        number = version or max(versions(home), default=0) + 1
        target = home / str(number)
        try:
            partial.rename(target)
        except OSError as error:
            if not target.exists():
                raise
            if version is not None:
                raise _exists(home, version) from error
        else:
            flush(home)
            return target


def _exists(home: Path, version: int) -> ExportError:
    return ExportError(
        f"Version {version} of {home.name} exists in {home.parent}. Versions are never overwritten; "
        f"leave out the version for {max(versions(home)) + 1}."
    )


def _forget_orphans(home: Path) -> None:
    for path in home.glob(f"{_PARTIAL}*"):
        with contextlib.suppress(FileNotFoundError):  # another exporter may forget it at the same time
            if time.time() - path.stat().st_mtime > _ORPHAN_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
