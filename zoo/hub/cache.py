"""What downloads established, beside the client's cache: list it, remove it, with what else is kept there.

<cache_dir>/models--owner--name/zoo/<hash>.json
<cache_dir>/zoo-bundles, <cache_dir>/zoo-runtimes      see `zoo.bundles.reading` and `zoo.runtimes.conversion`
"""

import dataclasses
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from zoo.errors import AccessError, UnknownModelError
from zoo.hub.request import COMMIT, DIGEST

BUNDLES, RUNTIMES = "zoo-bundles", "zoo-runtimes"  # folders of files from bundles, and of converted models


@dataclass(frozen=True)
class CachedRepository:
    """A repository of which this library has downloaded something; or `BUNDLES` or `RUNTIMES`, of no revisions."""

    repo_id: str
    path: Path
    size_bytes: int  # of all its files, those that other programs downloaded too
    last_used: datetime
    revisions: tuple[str, ...]  # the commits that this library recorded


@dataclass(frozen=True)
class Record:
    """What a download established, as written beside the cache."""

    repo_id: str
    filename: str
    asked: str  # the revision as the caller named it, "" for none
    revision: str
    sha256: str
    size_bytes: int
    stamp: list[int]  # of the file when it was hashed: while it stands, that need not be done again


def cached(cache_dir: str | os.PathLike[str] | None = None) -> list[CachedRepository]:
    """List the repositories that this library recorded in the cache, by name, then its own folders there."""
    found, home = [], cache_folder(cache_dir)
    for folder in sorted(path.parent for path in home.glob("models--*/zoo")):
        records = [record for path in (folder / "zoo").glob("*.json") if (record := read_record(path))]
        if records:
            revisions = tuple(sorted({record.revision for record in records}))
            found.append(_described(records[0].repo_id, folder, _content(folder), revisions))
    for name in (BUNDLES, RUNTIMES):
        if files := [path for path in (home / name).rglob("*") if path.is_file()]:
            found.append(_described(name, home / name, files, ()))
    return found


def remove(repo_id: str, cache_dir: str | os.PathLike[str] | None = None) -> int:
    """Delete what this library downloaded of a repository, or one of its own folders; commits that others downloaded
    stay.

    Args:
        repo_id: The repository, or `BUNDLES` or `RUNTIMES`.
        cache_dir: As `zoo.load`.

    Returns:
        How many bytes were freed.

    Raises:
        UnknownModelError: This library has recorded nothing of that repository.
        AccessError: The cache cannot be written.
    """
    from huggingface_hub import scan_cache_dir

    folder = cache_folder(cache_dir)
    repository = next((entry for entry in cached(folder) if entry.repo_id == repo_id), None)
    if repository is None:
        raise UnknownModelError(
            f"Nothing of '{repo_id}' was downloaded to {folder} by this library. `zoo cache list` shows what was."
        )
    if not os.access(repository.path, os.W_OK | os.X_OK):
        raise AccessError(f"{repository.path} cannot be written, so nothing was removed. Ask its owner to remove it.")
    if repo_id in (BUNDLES, RUNTIMES):
        shutil.rmtree(repository.path, ignore_errors=True)
        return repository.size_bytes - sum(path.stat().st_size for path in repository.path.rglob("*") if path.is_file())
    scan = scan_cache_dir(folder)
    entry = next((entry for entry in scan.repos if entry.repo_path == repository.path), None)
    if entry is None:  # the client overlooks a folder in which a link is broken
        shutil.rmtree(repository.path, ignore_errors=True)
    else:
        commits = {revision.commit_hash for revision in entry.revisions} & set(repository.revisions)
        # A fork has the same commits: delete them in this repository only.
        dataclasses.replace(scan, repos=frozenset([entry])).delete_revisions(*commits).execute()
        shutil.rmtree(repository.path / "zoo", ignore_errors=True)
    return repository.size_bytes - sum(path.stat().st_size for path in _content(repository.path))


def cache_folder(cache_dir: str | os.PathLike[str] | None) -> Path:
    """The folder of the client's cache, written as the client writes it."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE if cache_dir is None else cache_dir).expanduser().resolve()


def _described(repo_id: str, folder: Path, files: Iterable[Path], revisions: tuple[str, ...]) -> CachedRepository:
    facts = [path.stat() for path in files]
    return CachedRepository(
        repo_id=repo_id,
        path=folder,
        size_bytes=sum(fact.st_size for fact in facts),
        last_used=datetime.fromtimestamp(max((fact.st_atime for fact in facts), default=0.0), UTC),
        revisions=revisions,
    )


def _content(folder: Path) -> Iterator[Path]:
    """Yield each file of a cached repository once: blobs, and copies where the disk has no links."""
    for path in (*folder.glob("blobs/*"), *folder.glob("snapshots/**/*")):
        if path.is_file() and not (path.is_symlink() and path.is_relative_to(folder / "snapshots")):
            yield path


def stamp_of(path: Path) -> list[int]:
    """What changes when a file is replaced or written to: size in bytes, mtime and ctime in nanoseconds, inode.

    A program can set the mtime of a file (`os.utime`), but not the ctime, which that changes too.
    """
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def read_record(path: Path) -> Record | None:
    """Read a record; one that is missing or unusable is as good as none."""
    try:
        record = Record(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return record if COMMIT.fullmatch(str(record.revision)) and DIGEST.fullmatch(str(record.sha256)) else None


def write_record(path: Path, record: Record) -> None:
    """Write a record whole or not at all. A cache that cannot be written serves its verified files all the same."""
    temporary = path.with_suffix(f".{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(dataclasses.asdict(record), indent=1))
        temporary.replace(path)
    except OSError:
        return
