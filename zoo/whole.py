"""Files and folders that are whole or not there: flushed to disk before they get their name.

`whole_file` and `whole_folder` give a place to write to, flush it, and rename it; `made_folder` leaves no empty folder
behind; `writable` turns errors of a full or read-only disk into one sentence.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from zoo.errors import AccessError, ZooError


@contextlib.contextmanager
def writable(path: Path) -> Iterator[None]:
    """Within it, an `OSError` becomes an `AccessError` that names `path`."""
    try:
        yield
    except ZooError:  # some of them are OSErrors too
        raise
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error  # HDF5's own sentence is a paragraph
        raise AccessError(
            f"{path} cannot be written ({reason}). Expected a folder that can be written, with space "
            "for it; then the same call resumes, or choose another place."
        ) from error


@contextlib.contextmanager
def made_folder(path: Path) -> Iterator[None]:
    """Make a folder and those above it; a block that fails takes away again those of them that are empty.

    Raises:
        AccessError: It cannot be made.
    """
    new = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        with writable(path):
            path.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in new:
            with contextlib.suppress(OSError):  # it contains something by now
                folder.rmdir()
        raise


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place beside `path` to write a file to, which then replaces `path`. For one writer at a time.

    Raises:
        AccessError: It cannot be written; `path` is as it was.
    """
    partial = path.with_name(f"partial-{path.name}")
    try:
        with writable(path):
            yield partial
            flush(partial)
            partial.replace(path)
            flush(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside `path` to fill, which then becomes `path`: a new folder, or an empty one.

    Raises:
        AccessError: It cannot be written; nothing is left of it.
    """
    with made_folder(path.parent), writable(path):
        hidden = Path(tempfile.mkdtemp(prefix=".partial-", dir=path.parent))
        try:
            whole = hidden / "whole"  # the hidden folder is for its owner only
            whole.mkdir()
            yield whole
            flush_all(whole)
            whole.rename(path)
            flush(path.parent)
        finally:
            shutil.rmtree(hidden, ignore_errors=True)


def flush_all(folder: Path) -> None:
    """Bring a folder, with all that is in it, to the disk: after a power failure too, it is whole."""
    for path in [*folder.rglob("*"), folder]:
        flush(path)


def flush(path: Path) -> None:
    """Bring one file, or the list of names in one folder, to the disk."""
    if os.name == "nt" and path.is_dir():  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
