"""Files of Hugging Face repositories, pinned to a commit and verified on every load.

The client downloads and caches; it also accepts wrong bytes of the right length and never looks at them again.
So what the Hub declared at the first download is recorded beside the cache, and compared before a byte is used:

    <cache_dir>/models--owner--name/snapshots/<commit>/<filename>   the client's
    <cache_dir>/models--owner--name/zoo/<hash>.json                 ours: commit, SHA-256, size and a stamp
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shutil
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PureWindowsPath
from typing import NoReturn, TypeVar

from zoo.errors import AccessError, InputError, IntegrityError, OfflineError, UnknownModelError, ZooError

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"[0-9a-f]{64}|[0-9a-f]{40}")  # SHA-256, or git's SHA-1 for a small file
_REPO_ID = re.compile(r"(?!.*(--|\.\.|\.git$))\b[\w.-]{1,96}\b/\b[\w.-]{1,96}\b", re.ASCII)
_PATIENCE_SECONDS = 5.0  # no new try begins later: the client has its own retries for a broken body, and they are slow
_ORPHAN_SECONDS = 24 * 3600  # a partial file this old belongs to a process that was killed; the client keeps it forever

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class HubFile:
    """A verified file on this disk, and where its bytes come from."""

    path: Path
    repo_id: str
    filename: str
    revision: str  # always a commit, 40 hexadecimal digits
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class CachedRepository:
    """A repository of which this library has downloaded something."""

    repo_id: str
    path: Path
    size_bytes: int  # of all its files, those that other programs downloaded too
    last_used: datetime
    revisions: tuple[str, ...]  # the commits that this library recorded


@dataclass(frozen=True)
class _Record:
    """What a download established, as written beside the cache."""

    repo_id: str
    filename: str
    asked: str  # the revision as the caller named it, "" for none
    revision: str
    sha256: str
    size_bytes: int
    stamp: list[int]  # size, mtime in nanoseconds and inode: while they stand, the file need not be hashed again


@dataclass(frozen=True)
class _Claim:
    """What the bytes must be, before anyone has looked at them."""

    revision: str
    digest: str  # SHA-256, or git's SHA-1 of a small file outside LFS
    size_bytes: int | None = None  # unknown where only a registry's pin is known


@dataclass(frozen=True)
class _Request:
    """The arguments of one `fetch`, checked."""

    repo_id: str
    filename: str
    revision: str | None
    sha256: str | None
    cache_dir: Path
    token: str | None
    offline: bool

    def __post_init__(self):
        if not _REPO_ID.fullmatch(self.repo_id):
            raise InputError(
                f"'{self.repo_id}' is not a repository id. Expected 'owner/name', in letters, digits, '-', '_' and "
                "'.', as the address of its page shows it."
            )
        for name, value in (("filename", self.filename), ("revision", self.revision)):
            path = PureWindowsPath("-" if value is None else value)  # knows drives and both slashes
            if not path.parts or path.anchor or ".." in path.parts:
                raise InputError(f"`{name}` must be a path inside a repository. Received: {name}={value!r}.")
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise InputError(f"`sha256` must be 64 lower-case hexadecimal digits. Received: sha256={self.sha256!r}.")

    @property
    def is_pinned(self) -> bool:
        return self.revision is not None and _COMMIT.fullmatch(self.revision) is not None

    @property
    def folder(self) -> Path:
        return self.cache_dir / f"models--{self.repo_id.replace('/', '--')}"

    @property
    def record_path(self) -> Path:
        key = hashlib.sha256(f"{self.revision or ''}\n{self.filename}".encode()).hexdigest()
        return self.folder / "zoo" / f"{key[:32]}.json"

    def path(self, commit: str) -> Path:
        return self.folder / "snapshots" / commit / self.filename


def fetch(
    repo_id: str,
    filename: str,
    *,
    revision: str | None = None,
    sha256: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    token: str | None = None,
    offline: bool | None = None,
) -> HubFile:
    """Bring one file of a repository to this disk and verify it.

    Args:
        repo_id: "owner/name".
        filename: Path inside the repository.
        revision: A commit, or a branch or tag, which is resolved anew whenever the Hub can be reached. With None
            the first download decides, and later loads stay at the commit that it recorded.
        sha256: What the bytes must hash to; None trusts what the Hub declares.
        cache_dir: Folder of the client's cache. None follows `HF_HUB_CACHE` and `HF_HOME`.
        token: Access token. None follows `HF_TOKEN` and the login stored on this machine.
        offline: True makes no request. None follows `HF_HUB_OFFLINE`.

    Files that belong together are fetched at one commit: the first as asked, the others at its `revision`.

    Returns:
        The file, whose size and SHA-256 are what its publisher declared.

    Raises:
        InputError: An argument that cannot be a repository id, file name, revision or hash.
        UnknownModelError: No such repository, revision or file.
        AccessError: A gated or private repository, or a cache that cannot be written.
        OfflineError: Not cached, and the Hub cannot be reached or must not be asked.
        IntegrityError: The bytes differ from what was declared, after a second download too.
    """
    request = _Request(repo_id, filename, revision, sha256, _cache(cache_dir), token, _is_offline(offline))
    file = _bring(request)
    _agree(request, sha256, file.sha256)
    return file


def recorded(
    repo_id: str,
    filename: str,
    *,
    revision: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
) -> HubFile | None:
    """Say what an earlier `fetch` with the same arguments established, without network and without hashing.

    Returns:
        The record, or None where there is none. Its file may have been removed since.
    """
    request = _Request(repo_id, filename, revision, None, _cache(cache_dir), None, True)
    record = _read(request.record_path)
    return None if record is None else _hub_file(request, record)


def cached(cache_dir: str | os.PathLike[str] | None = None) -> list[CachedRepository]:
    """List the repositories that this library recorded in the cache, by name."""
    found = []
    for folder in sorted(path.parent for path in _cache(cache_dir).glob("models--*/zoo")):
        records = [record for path in (folder / "zoo").glob("*.json") if (record := _read(path))]
        if not records:
            continue
        blobs = [path.stat() for path in _content(folder)]
        found.append(
            CachedRepository(
                repo_id=records[0].repo_id,
                path=folder,
                size_bytes=sum(blob.st_size for blob in blobs),
                last_used=datetime.fromtimestamp(max((blob.st_atime for blob in blobs), default=0.0), UTC),
                revisions=tuple(sorted({record.revision for record in records})),
            )
        )
    return found


def remove(repo_id: str, cache_dir: str | os.PathLike[str] | None = None) -> int:
    """Delete what this library downloaded of a repository; commits that others downloaded stay.

    Returns:
        How many bytes were freed.

    Raises:
        UnknownModelError: This library has recorded nothing of that repository.
        AccessError: The cache cannot be written.
    """
    from huggingface_hub import scan_cache_dir

    cache = _cache(cache_dir)
    repository = next((entry for entry in cached(cache) if entry.repo_id == repo_id), None)
    if repository is None:
        raise UnknownModelError(
            f"Nothing of '{repo_id}' was downloaded to {cache} by this library. `zoo cache list` shows what was."
        )
    if not os.access(repository.path, os.W_OK | os.X_OK):
        raise AccessError(f"{repository.path} cannot be written, so nothing was removed. Ask its owner to remove it.")
    scan = scan_cache_dir(cache)
    entry = next((entry for entry in scan.repos if entry.repo_path == repository.path), None)
    if entry is None:  # the client overlooks a folder in which a link is broken
        shutil.rmtree(repository.path, ignore_errors=True)
    else:
        commits = {revision.commit_hash for revision in entry.revisions} & set(repository.revisions)
        # A fork has the same commits: delete them in this repository only.
        dataclasses.replace(scan, repos=frozenset([entry])).delete_revisions(*commits).execute()
        shutil.rmtree(repository.path / "zoo", ignore_errors=True)
    return repository.size_bytes - sum(path.stat().st_size for path in _content(repository.path))


def _is_offline(offline: bool | None) -> bool:
    """What the caller says, else what the environment says."""
    from huggingface_hub import constants

    return constants.HF_HUB_OFFLINE if offline is None else offline


def _cache(cache_dir: str | os.PathLike[str] | None) -> Path:
    """The folder of the client's cache, written as the client writes it."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE if cache_dir is None else cache_dir).expanduser().resolve()


def _content(folder: Path) -> Iterator[Path]:
    """Yield each file of a cached repository once: blobs, and copies where the disk has no links."""
    for path in (*folder.glob("blobs/*"), *folder.glob("snapshots/**/*")):
        if path.is_file() and not (path.is_symlink() and path.is_relative_to(folder / "snapshots")):
            yield path


def _bring(request: _Request) -> HubFile:
    """Use the cached file where its bytes are right; otherwise download it, twice if need be."""
    known = _known(request)
    claim = known or _ask_or_remember(request)
    if os.path.isfile(request.path(claim.revision)):
        try:
            return _verify(request, claim)
        except IntegrityError:
            if request.offline:
                raise
    if claim is known:  # the Hub may have to say the size, and must still say the same hash
        claim = _ask(request, claim.revision)
        _agree(request, known.digest, claim.digest)
    try:
        return _download(request, claim)
    except IntegrityError:
        return _download(request, claim)


def _known(request: _Request) -> _Claim | None:
    """What can be demanded of the file without a request, or None."""
    record = _read(request.record_path)
    stays = request.offline or request.revision is None or request.is_pinned
    if record and stays and request.sha256 in (None, record.sha256):
        return _Claim(record.revision, record.sha256, record.size_bytes)
    if request.revision and request.is_pinned and request.sha256:
        return _Claim(request.revision, request.sha256)
    return _left_by_the_client(request) if request.offline else None


def _left_by_the_client(request: _Request) -> _Claim | None:
    """Read from the client's cache what another program downloaded: a blob is named after its declared digest."""
    commit = request.revision or "main"
    if not request.is_pinned:
        try:
            commit = (request.folder / "refs" / commit).read_text().strip()
        except OSError:
            return None
    path = request.path(commit)
    digest = path.readlink().name if path.is_symlink() else ""
    return _Claim(commit, digest) if _COMMIT.fullmatch(commit) and _DIGEST.fullmatch(digest) else None


def _ask_or_remember(request: _Request) -> _Claim:
    """Ask the Hub; where it cannot be reached, take what was established earlier and say so."""
    try:
        return _ask(request, request.revision or "main")
    except OfflineError:
        claim = _known(dataclasses.replace(request, offline=True))
        if request.offline or claim is None or not os.path.isfile(request.path(claim.revision)):
            raise
        message = (
            f"The Hub cannot be reached, so {_name(request)} is taken from commit {claim.revision}, cached earlier."
        )
        warnings.warn(message, stacklevel=4)
        return claim


def _ask(request: _Request, revision: str) -> _Claim:
    """Ask the Hub for the commit, size and digest that it declares for the file."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url

    if request.offline:
        raise OfflineError(
            f"{_name(request)} is not in {request.cache_dir}, and offline mode is on. Load it once with a network "
            "(offline=False, HF_HUB_OFFLINE unset), or pass the cache_dir= that holds it."
        )
    url = hf_hub_url(request.repo_id, request.filename, revision=revision)
    timeout = constants.HF_HUB_ETAG_TIMEOUT
    answer = _patiently(request, lambda: get_hf_file_metadata(url, token=request.token, timeout=timeout))
    if not (_COMMIT.fullmatch(answer.commit_hash or "") and _DIGEST.fullmatch(answer.etag or "")):
        raise OfflineError(
            f"{constants.ENDPOINT} answered without a commit and a hash for {_name(request)}, so it is not a Hub. "
            "Check HF_ENDPOINT, and whether a proxy or a login page stands between."
        )
    claim = _Claim(answer.commit_hash, answer.etag, answer.size)
    _agree(request, request.sha256, claim.digest)
    return claim


def _agree(request: _Request, expected: str | None, declared: str) -> None:
    """Refuse a file whose pin or record says another hash than the Hub (a git hash cannot be compared)."""
    if expected is not None and len(declared) == len(expected) and declared != expected:
        raise IntegrityError(
            f"{_name(request)} is pinned or recorded with SHA-256 {expected}, but the Hub declares {declared}. "
            "Nothing is wrong with the download: correct the pin, or find out why its publisher replaced the file."
        )


def _download(request: _Request, claim: _Claim) -> HubFile:
    """Download the file in place of whatever is there, and verify it."""
    from huggingface_hub import hf_hub_download

    def download() -> str:
        _forget_orphans(request.folder)
        return hf_hub_download(
            request.repo_id,
            request.filename,
            revision=claim.revision,
            cache_dir=request.cache_dir,
            token=request.token,
            library_name="layerzoo",
        )

    _patiently(request, download)
    return _verify(request, claim)


def _forget_orphans(folder: Path) -> None:
    """Delete partial files that a killed process left long ago."""
    for path in folder.glob("blobs/*.incomplete"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _ORPHAN_SECONDS:
                path.unlink()


def _verify(request: _Request, claim: _Claim) -> HubFile:
    """Compare size and digest with the claim; record the file if they agree, delete it if they do not."""
    path, record = request.path(claim.revision), _read(request.record_path)
    try:
        stamp = _stamp(path)
        sha256 = record.sha256 if record and record.stamp == stamp else _sha256(path)
        digest = sha256 if len(claim.digest) == len(sha256) else _git_digest(path)
    except FileNotFoundError as error:
        raise IntegrityError(f"{path} was removed while it was checked. Load it again.") from error
    except OSError as error:
        raise AccessError(f"{path} cannot be read ({error.strerror}). Ask its owner, or pass cache_dir=.") from error
    if digest != claim.digest or claim.size_bytes not in (None, stamp[0]):
        _reject(request, claim, stamp, digest)
    found = _Record(request.repo_id, request.filename, request.revision or "", claim.revision, sha256, stamp[0], stamp)
    if found != record:
        _write(request.record_path, found)
    return _hub_file(request, found)


def _reject(request: _Request, claim: _Claim, stamp: list[int], digest: str) -> NoReturn:
    """Delete a damaged file and raise."""
    path = request.path(claim.revision)
    if path.is_symlink() and path.readlink().name == digest:  # the client's name for it: the bytes are the Hub's
        _agree(request, claim.digest, digest)
    if claim.size_bytes in (None, stamp[0]):
        what, actual, expected = "hash", digest, claim.digest
    else:
        what, actual, expected = "size in bytes", str(stamp[0]), str(claim.size_bytes)
    message = f"{_name(request)} is damaged: {path} has the {what} {actual}. Its publisher declared {expected}."
    try:
        if _stamp(path) == stamp:  # otherwise another process has replaced it already
            _delete(path, request.cache_dir)
    except OSError as error:
        raise AccessError(f"{message} It cannot be deleted; pass a cache_dir= that can be written.") from error
    raise IntegrityError(
        f"{message} It was deleted; load it once more with a network. "
        "If that fails too, try another network or disk, and tell its publisher."
    )


def _stamp(path: Path) -> list[int]:
    """What changes when a file is replaced or written to: size in bytes, mtime in nanoseconds, inode."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _sha256(path: Path) -> str:
    """The digest by which the Hub names a file in LFS."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _git_digest(path: Path) -> str:
    """The digest by which git, and so the Hub, names a small file: a SHA-1."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _delete(path: Path, cache_dir: Path) -> None:
    """Delete a file and the links that lead to it; nothing outside the cache."""
    while path.is_relative_to(cache_dir):
        target = Path(os.path.normpath(path.parent / path.readlink())) if path.is_symlink() else None
        path.unlink(missing_ok=True)
        if target is None:
            break
        path = target


def _hub_file(request: _Request, record: _Record) -> HubFile:
    """Join a record with the place of its file."""
    path = request.path(record.revision)
    return HubFile(path, record.repo_id, record.filename, record.revision, record.sha256, record.size_bytes)


def _read(path: Path) -> _Record | None:
    """Read a record; one that is missing or unusable is as good as none."""
    try:
        record = _Record(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return record if _COMMIT.fullmatch(str(record.revision)) and _DIGEST.fullmatch(str(record.sha256)) else None


def _write(path: Path, record: _Record) -> None:
    """Write a record whole or not at all. A cache that cannot be written serves its verified files all the same."""
    temporary = path.with_suffix(f".{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(dataclasses.asdict(record), indent=1))
        temporary.replace(path)
    except OSError:
        return


def _name(request: _Request) -> str:
    """The file as messages name it."""
    revision = f" at '{request.revision}'" if request.revision else ""
    return f"'{request.filename}' of '{request.repo_id}'{revision}"


def _patiently(request: _Request, action: Callable[[], _Answer]) -> _Answer:
    """Try up to three times what may pass on its own, and turn what remains into an error of this library."""
    from huggingface_hub.errors import HTTPError  # httpx's or httpx2's, whichever this version of the client uses

    started = time.monotonic()
    pauses_seconds = iter((0.5, 1.0))
    while True:
        try:
            return action()
        # A transport error is no OSError; Xet, the Hub's other way to send a body, raises RuntimeError.
        except (OSError, RuntimeError, HTTPError) as error:
            pause_seconds = _pause(error, next(pauses_seconds, None))
            if pause_seconds is None or time.monotonic() - started + pause_seconds > _PATIENCE_SECONDS:
                raise _explained(request, error) from error
        time.sleep(pause_seconds)


def _pause(error: Exception, pause_seconds: float | None) -> float | None:
    """How long to wait before the next try; None if a further try cannot help or the tries are spent."""
    from huggingface_hub.errors import HTTPError

    if pause_seconds is None:
        return None
    response = getattr(error, "response", None)
    if response is None:  # a full disk, offline mode or a body of the wrong length would come back the same
        return pause_seconds if isinstance(error, (HTTPError, RuntimeError)) else None
    if response.status_code not in (408, 429) and response.status_code < 500:
        return None
    asked = response.headers.get("Retry-After", "")
    return max(pause_seconds, float(asked) if asked.isdigit() else 0.0)


def _explained(request: _Request, error: BaseException) -> ZooError:
    """The error of this library for one of the client's: what was wrong, what was expected, what to do."""
    from huggingface_hub import constants, errors

    if isinstance(error, errors.LocalEntryNotFoundError):  # the client's own way of giving up says nothing
        error = error.__cause__ or error
    repository, url = f"'{request.repo_id}'", f"{constants.ENDPOINT}/{request.repo_id}"
    log_in = "log in with `hf auth login` or set HF_TOKEN"
    status = getattr(getattr(error, "response", None), "status_code", None)
    said = getattr(error, "server_message", None) or (str(error) if status is None else "")
    reason = ": ".join(filter(None, [f"HTTP {status}" if status else "", said.strip().split("\n")[0]]))
    if isinstance(error, errors.GatedRepoError):
        return AccessError(f"{repository} is gated. Accept its conditions at {url}, then {log_in}.")
    if isinstance(error, errors.RepositoryNotFoundError):
        return UnknownModelError(
            f"No repository {repository} at {constants.ENDPOINT}. Check its spelling; if it is private, {log_in}."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return UnknownModelError(
            f"{repository} has no revision '{request.revision}'. Pass a commit, branch or tag that {url} lists."
        )
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return UnknownModelError(f"{repository} has no file '{request.filename}'. Its files are at {url}/tree/main.")
    if status in (401, 403) or isinstance(error, errors.LocalTokenNotFoundError):
        return AccessError(f"No access to {repository} ({reason}). Ask for access at {url}, then {log_in}.")
    if isinstance(error, OSError) and error.errno and not isinstance(error, ConnectionError):
        return AccessError(
            f"{request.cache_dir} cannot be written ({error.strerror}), and {_name(request)} is not in it. "
            "Pass a cache_dir= that can be written, or set HF_HOME to one."
        )
    if type(error) is OSError:  # the client's own check of the length
        return IntegrityError(f"{_name(request)} arrived damaged, twice. {reason} Try again, or from another network.")
    return OfflineError(
        f"{_name(request)} is not cached, and {constants.ENDPOINT} did not send it ({reason}). "
        "Load it once with a working network; later loads need none."
    )
