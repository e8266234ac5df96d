"""Versioned folders that are whole or not there: `<directory>/<name>/1`, `2`, ...

A version is written into a hidden folder beside it and renamed, so a server that polls the folder never sees half of
it, a killed export leaves nothing that looks like a version, and two exporters at once get two versions.
"""

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from zoo.errors import AccessError, ExportError, InputError

_PARTIAL = ".partial-"
_ORPHAN_SECONDS = 24 * 3600  # a partial folder this old belongs to a process that was killed


class NewVersion:
    """A version being written: put files into `folder`; after the `with` block it lies at `path`."""

    def __init__(self, folder: Path):
        self.folder = self.path = folder


@contextlib.contextmanager
def new_version(directory: str | os.PathLike[str], name: str, version: int | None) -> Iterator[NewVersion]:
    """Give a folder to fill, and rename it to the version when the block ends without an error.

    Args:
        directory: Where the models lie.
        name: The model's folder in it.
        version: A number from 1; None for the highest that is there and one more.

    Raises:
        AccessError: `directory` cannot be written.
        ExportError: The version exists.
        InputError: The version is not a number from 1.
    """
    if version is not None and (isinstance(version, bool) or not isinstance(version, int) or version < 1):
        raise InputError(f"version={version!r}. Expected a whole number from 1, or None for the next.")
    home = Path(directory) / name
    partial = home / f"{_PARTIAL}{uuid.uuid4().hex}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        _forget_orphans(home)
        if version is not None and (home / str(version)).exists():
            raise _exists(home, version)
        partial.mkdir()
    except OSError as error:
        raise AccessError(
            f"{home} cannot be written ({error.strerror}). Expected a folder of yours; choose another directory."
        ) from error
    try:
        new = NewVersion(partial)
        yield new
        _flush(partial)
        new.path = _publish(partial, home, version)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


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
                raise AccessError(f"{target} cannot be written ({error.strerror}).") from error
            if version is not None:
                raise _exists(home, version) from error
        else:
            _flush_folder(home)
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


def _flush(folder: Path) -> None:
    """Bring the bytes to the disk before the name: after a power failure too, a version is whole."""
    for path in [*folder.rglob("*"), folder]:
        _flush_folder(path)


def _flush_folder(path: Path) -> None:
    if os.name == "nt" and path.is_dir():  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
