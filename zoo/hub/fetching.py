"""Files of Hugging Face repositories, pinned to a commit and verified.

What the Hub declared at the first download, commit, size and hash, is recorded beside the client's cache, and stays
what is demanded of the file. It is hashed after the download, and on each later load unless its stamp is as it was when
it was hashed last: size, times of change and inode. Programs that write to a file change its stamp, and cannot set it
back (POSIX: `ctime`); who can change the clock or the disk below the file system could.

    <cache_dir>/models--owner--name/snapshots/<commit>/<filename>   the client's
    <cache_dir>/models--owner--name/zoo/<hash>.json                 ours: commit, SHA-256, size and a stamp
"""

import contextlib
import dataclasses
import hashlib
import os
import time
import warnings
from pathlib import Path
from typing import Any, NoReturn

from zoo.errors import AccessError, IntegrityError, OfflineError
from zoo.hub.cache import Record, cache_folder, read_record, stamp_of, write_record
from zoo.hub.download import download
from zoo.hub.hubs import HubFile
from zoo.hub.patience import with_retries
from zoo.hub.request import COMMIT, DIGEST, Claim, Request
from zoo.hub.responses import within
from zoo.printing import as_text

ANSWER_SECONDS = 60.0  # for what the Hub declares of a file
_ORPHAN_SECONDS = 24 * 3600  # a partial file this old belongs to a process that was killed; the client keeps it forever


def fetch(
    repo_id: str,
    filename: str,
    *,
    revision: str | None = None,
    sha256: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    token: str | bool | None = None,
    offline: bool | None = None,
    largest_bytes: int | None = None,
) -> HubFile:
    """Download one file of a repository and verify it.

    Args:
        repo_id: "owner/name".
        filename: Path inside the repository.
        revision: A commit, or a branch or tag, which is resolved anew whenever the Hub can be reached. With None
            the first download decides, and later loads stay at the commit that it recorded.
        sha256: What the bytes must hash to; None trusts what the Hub declares.
        cache_dir: Folder of the client's cache. None follows `HF_HUB_CACHE` and `HF_HOME`.
        token: Access token. None follows `HF_TOKEN` and the login stored on this machine; False sends none.
        offline: True makes no request. None follows `HF_HUB_OFFLINE`.
        largest_bytes: How large the file may be, where the caller knows.

    Files that belong together are fetched at one commit: the first as asked, the others at its `revision`.

    Returns:
        The file, whose size and SHA-256 are what its publisher declared.

    Raises:
        InputError: An argument that cannot be a repository id, file name, revision or hash.
        UnknownModelError: No such repository, revision or file.
        AccessError: A gated or private repository, or a cache that cannot be written.
        OfflineError: Not cached, and the Hub cannot be reached or must not be asked.
        IntegrityError: The bytes differ from what was declared, after a second download too; or too many are declared.
    """
    folder, no_network = cache_folder(cache_dir), is_offline(offline)
    request = Request(repo_id, filename, revision, sha256, folder, token, no_network, largest_bytes)
    file = _fetch(request)
    _check_digest(request, sha256, file.sha256)
    return file


def recorded(
    repo_id: str,
    filename: str,
    *,
    revision: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
) -> HubFile | None:
    """Return what an earlier `fetch` with the same arguments established, without network and without hashing.

    Returns:
        The record, or None where there is none. Its file may have been removed since.
    """
    request = Request(repo_id, filename, revision, None, cache_folder(cache_dir), None, True)
    record = read_record(request.record_path)
    return None if record is None else _hub_file(request, record)


def is_offline(offline: bool | None = None) -> bool:
    """What the caller says, else what the environment says."""
    from huggingface_hub import constants

    return constants.HF_HUB_OFFLINE if offline is None else offline


def _fetch(request: Request) -> HubFile:
    """Use the cached file where its bytes are right; otherwise download it, a second time if necessary."""
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
        _check_digest(request, known.digest, claim.digest)
    try:
        return _download(request, claim)
    except IntegrityError:
        return _download(request, claim)


def _known(request: Request) -> Claim | None:
    """What can be demanded of the file without a request, or None."""
    record = read_record(request.record_path)
    stays = request.offline or request.revision is None or request.is_pinned
    if record and stays and request.sha256 in (None, record.sha256):
        return Claim(record.revision, record.sha256, record.size_bytes)
    if request.revision and request.is_pinned and request.sha256:
        return Claim(request.revision, request.sha256)
    return _left_by_the_client(request) if request.offline else None


def _left_by_the_client(request: Request) -> Claim | None:
    """Read from the client's cache what another program downloaded: a blob is named after its declared digest."""
    commit = request.revision or "main"
    if not request.is_pinned:
        try:
            commit = (request.folder / "refs" / commit).read_text().strip()
        except OSError:
            return None
    path = request.path(commit)
    digest = path.readlink().name if path.is_symlink() else ""
    return Claim(commit, digest) if COMMIT.fullmatch(commit) and DIGEST.fullmatch(digest) else None


def _ask_or_remember(request: Request) -> Claim:
    """Ask the Hub; where it cannot be reached, take what was established earlier, with a warning."""
    try:
        return _ask(request, request.revision or "main")
    except OfflineError:
        claim = _known(dataclasses.replace(request, offline=True))
        if request.offline or claim is None or not os.path.isfile(request.path(claim.revision)):
            raise
        message = f"The Hub cannot be reached, so {request} is taken from commit {claim.revision}, cached earlier."
        warnings.warn(as_text(message), stacklevel=4)
        return claim


def _ask(request: Request, revision: str) -> Claim:
    """Ask the Hub for the commit, size and digest that it declares for the file."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url

    if request.offline:
        raise OfflineError(
            f"{request} is not in {request.cache_dir}, and offline mode is on. Load it once with a network "
            "(offline=False, HF_HUB_OFFLINE unset), or pass the cache_dir= that contains it."
        )
    url = hf_hub_url(request.repo_id, request.filename, revision=revision)
    timeout = constants.HF_HUB_ETAG_TIMEOUT

    def ask() -> Any:
        return within(ANSWER_SECONDS, lambda: get_hf_file_metadata(url, token=request.token, timeout=timeout))

    metadata = with_retries(request, ask)
    is_asked = metadata.commit_hash == revision or not COMMIT.fullmatch(revision)
    is_whole = COMMIT.fullmatch(metadata.commit_hash or "") and DIGEST.fullmatch(metadata.etag or "")
    if not (is_asked and is_whole) or (metadata.size or 0) < 0:
        raise OfflineError(
            f"{constants.ENDPOINT} responded without a commit, a hash and a size for {request}, so it is not a Hub. "
            "Check HF_ENDPOINT, and whether a proxy or a login page stands between."
        )
    claim = Claim(metadata.commit_hash, metadata.etag, metadata.size)
    if request.largest_bytes is not None and (claim.size_bytes or 0) > request.largest_bytes:
        raise IntegrityError(
            f"{request} has {claim.size_bytes:,} bytes. Expected at most {request.largest_bytes:,}, so it is not what "
            "its name says, and was not downloaded; tell its publisher."
        )
    _check_digest(request, request.sha256, claim.digest)
    return claim


def _check_digest(request: Request, expected: str | None, declared: str) -> None:
    """Refuse a file whose pin or record says another hash than the Hub (a git hash cannot be compared)."""
    if expected is not None and len(declared) == len(expected) and declared != expected:
        raise IntegrityError(
            f"{request} is pinned or recorded with SHA-256 {expected}, but the Hub declares {declared}. "
            "Nothing is wrong with the download: correct the pin, or find out why its publisher replaced the file."
        )


def _download(request: Request, claim: Claim) -> HubFile:
    """Download the file in place of whatever is there, and verify it."""
    _forget_orphans(request.folder)
    with_retries(request, lambda: download(request, claim))
    return _verify(request, claim)


def _forget_orphans(folder: Path) -> None:
    """Delete partial files that a killed process left long ago."""
    for path in folder.glob("blobs/*.incomplete"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _ORPHAN_SECONDS:
                path.unlink()


def _verify(request: Request, claim: Claim) -> HubFile:
    """Compare size and digest with the claim; record the file if they agree, delete it if they do not."""
    path, record = request.path(claim.revision), read_record(request.record_path)
    try:
        stamp = stamp_of(path)
        sha256 = record.sha256 if record and record.stamp == stamp else _sha256(path)
        digest = sha256 if len(claim.digest) == len(sha256) else _git_digest(path)
    except FileNotFoundError as error:
        raise IntegrityError(f"{path} was removed while it was checked. Load it again.") from error
    except OSError as error:
        raise AccessError(f"{path} cannot be read ({error.strerror}). Ask its owner, or pass cache_dir=.") from error
    if digest != claim.digest or claim.size_bytes not in (None, stamp[0]):
        _reject(request, claim, stamp, digest)
    found = Record(request.repo_id, request.filename, request.revision or "", claim.revision, sha256, stamp[0], stamp)
    if found != record:
        write_record(request.record_path, found)
    return _hub_file(request, found)


def _reject(request: Request, claim: Claim, stamp: list[int], digest: str) -> NoReturn:
    """Delete a damaged file and raise."""
    path = request.path(claim.revision)
    if path.is_symlink() and path.readlink().name == digest:  # the client's name for it: the bytes are the Hub's
        _check_digest(request, claim.digest, digest)
    if claim.size_bytes in (None, stamp[0]):
        what, actual, expected = "hash", digest, claim.digest
    else:
        what, actual, expected = "size in bytes", str(stamp[0]), str(claim.size_bytes)
    message = f"{request} is damaged: {path} has the {what} {actual}. Its publisher declared {expected}."
    try:
        if stamp_of(path) == stamp:  # otherwise another process has replaced it already
            _delete(path, request.cache_dir)
    except OSError as error:
        raise AccessError(f"{message} It cannot be deleted; pass a cache_dir= that can be written.") from error
    raise IntegrityError(
        f"{message} It was deleted; load it once more with a network. "
        "If that fails too, try another network or disk, and tell its publisher."
    )


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


def _hub_file(request: Request, record: Record) -> HubFile:
    """Join a record with the place of its file."""
    path = request.path(record.revision)
    return HubFile(path, record.repo_id, record.filename, record.revision, record.sha256, record.size_bytes)
