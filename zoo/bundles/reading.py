"""A bundle as a place that models come from: `bundle.tar#NAME`, an unpacked folder, or the address of one.

Every file is compared with the bundle's list of SHA-256 before it is used. Those in a tar file or behind an address are
copied into the cache, under their hash:

    <cache_dir>/zoo-bundles/<sha256>/<filename>
"""

import contextlib
import hashlib
import http.client
import os
import re
import tarfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from filelock import FileLock

from zoo.bundles.archive import LARGEST_SUMS_BYTES, SUMS, check_archive, member_of, read_sums
from zoo.catalogue.descriptions import read_description
from zoo.catalogue.entry import Entry
from zoo.errors import IntegrityError, OfflineError, UnknownModelError
from zoo.hub.cache import BUNDLES, cache_folder
from zoo.printing import as_text
from zoo.whole import whole_file, writable

MODELS = "models"  # the folder in which each model has one
ADDRESS = re.compile(r"https?://\S+")
_SECONDS = 60.0  # that a server may take without sending a byte
_BLOCK = 1 << 20


class Bundle:
    """A bundle that is read: a tar file, a folder, or the address of a folder.

    Raises:
        IntegrityError: It is not a bundle, or damaged.
        OfflineError: The address cannot be reached.
    """

    def __init__(self, where: str):
        self.where = where
        with self._opened(SUMS) as file:
            content = self._read(file, LARGEST_SUMS_BYTES)
            if left := getattr(file, "length", None):  # urllib takes an answer that breaks off for a whole one
                raise self._unreadable(http.client.IncompleteRead(content, left))
        self.digests = read_sums(content, where)

    @property
    def names(self) -> list[str]:
        """The models in it."""
        found = (re.fullmatch(rf"{MODELS}/(.+)/zoo\.json", path) for path in self.digests)
        return [match[1] for match in found if match]

    def find(self, name: str) -> str:
        """The model that is called so, with its tag or, where there is one such, without.

        Raises:
            UnknownModelError: There is none, or several.
        """
        meant = [name] if name in self.names else [each for each in self.names if each.partition(".")[0] == name]
        if len(meant) != 1:
            found = ", ".join((meant or self.names)[:20])
            raise UnknownModelError(
                f"{self.where} has {'several models' if meant else 'no model'} called {name!r}. Expected one of: "
                f"{found}."
            )
        return meant[0]

    def entry(self, name: str, cache_dir: str | os.PathLike[str] | None = None) -> Entry:
        """What is known of a model in it. Raises as `find`, `fetch` and `zoo.load`."""
        return read_description(self.fetch(self.find(name), "zoo.json", cache_dir), self.where)

    def fetch(self, name: str, filename: str, cache_dir: str | os.PathLike[str] | None = None) -> Path:
        """A file of a model on this disk, verified.

        Raises:
            IntegrityError: It is missing or damaged.
            OfflineError: The address cannot be reached.
            AccessError: The cache cannot be written.
        """
        path = f"{MODELS}/{name}/{filename}"
        if path not in self.digests:
            raise IntegrityError(f"{self.where} has no {path}. Expected all files of a model; make the bundle again.")
        if os.path.isdir(self.where):
            with self._opened(path) as file:
                self._copy(file, path)
            return Path(self.where, path)
        kept = cache_folder(cache_dir) / BUNDLES / self.digests[path] / Path(filename).name
        with writable(kept):
            kept.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(kept.parent / ".lock")
        with lock:
            if not kept.is_file() or _sha256(kept) != self.digests[path]:
                with self._opened(path) as file, whole_file(kept) as place, place.open("wb") as copy:
                    self._copy(file, path, copy)
        return kept

    def check(self) -> None:
        """Compare every byte with what `zoo bundle` wrote.

        Raises:
            IntegrityError: Names the first file that differs.
        """
        if os.path.isfile(self.where):
            return check_archive(Path(self.where))
        for path in self.digests:
            with self._opened(path) as file:
                self._copy(file, path)
        if os.path.isdir(self.where):
            files = (path for path in Path(self.where).rglob("*") if path.is_file())
            names = {path.relative_to(self.where).as_posix() for path in files}
            if others := sorted(names - {SUMS, *self.digests}):
                raise IntegrityError(f"{self.where} has {others[0]}, which {SUMS} does not list. Remove it.")

    def _copy(self, file: IO[bytes], path: str, copy: IO[bytes] | None = None) -> None:
        """Read a file to its end, compare it with the list, and write it into `copy`."""
        total = hashlib.sha256()
        while block := self._read(file):
            total.update(block)
            if copy:
                copy.write(block)
        if total.hexdigest() != self.digests[path]:
            raise IntegrityError(
                f"{self.where}: {path} is damaged. Expected SHA-256 {self.digests[path]}; copy the bundle again."
            )

    def _read(self, file: IO[bytes], size: int = _BLOCK) -> bytes:
        try:
            return file.read(size)
        except (OSError, http.client.HTTPException, tarfile.TarError) as error:
            raise self._unreadable(error) from error

    @contextlib.contextmanager
    def _opened(self, path: str) -> Iterator[IO[bytes]]:
        with contextlib.ExitStack() as stack:
            try:
                if ADDRESS.fullmatch(self.where):
                    url = f"{self.where.rstrip('/')}/{urllib.parse.quote(path)}"
                    file = stack.enter_context(urllib.request.urlopen(url, timeout=_SECONDS))
                elif os.path.isdir(self.where):
                    file = stack.enter_context(open(os.path.join(self.where, path), "rb"))
                else:
                    archive = stack.enter_context(tarfile.open(self.where, "r:"))
                    file = stack.enter_context(member_of(archive, path))
            except (OSError, KeyError, ValueError, http.client.HTTPException, tarfile.TarError) as error:
                raise self._unreadable(error) from error
            yield file

    def _unreadable(self, error: Exception) -> IntegrityError | OfflineError:
        reason = as_text(f"{_reason(error)}"[:200])
        if ADDRESS.fullmatch(self.where):
            return OfflineError(
                f"{self.where} cannot be read ({reason}). Expected the address of an unpacked bundle, which a server "
                "of static files shows."
            )
        return IntegrityError(
            f"{self.where} is not a whole bundle ({reason}). Expected the file that `zoo bundle` wrote, or a folder "
            f"that it was unpacked into; copy it again."
        )


def split(handle: str) -> tuple[str, str] | None:
    """The bundle and the name in it that a handle means, `bundle.tar#name`; None for another text."""
    where, mark, name = handle.rpartition("#")
    if not (mark and name and where) or os.path.lexists(handle):
        return None
    where = where if ADDRESS.fullmatch(where) else os.path.expanduser(where)
    is_bundle = ADDRESS.fullmatch(where) or os.path.isfile(where) or os.path.isfile(os.path.join(where, SUMS))
    return (where, name) if is_bundle else None


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):  # prints its message in quotes
        return f"{error.args[0]}"
    if isinstance(error, FileNotFoundError):
        return f"there is no {error.filename}"
    return f"{error}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
