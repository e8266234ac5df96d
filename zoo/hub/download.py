"""The bytes of one file, from the Hub into the client's cache: no more than were declared, in bounded time.

The client would ask again what the file is, write it under whatever name that response contains, unpack whatever comes,
and wait for as long as something comes. Here the name is the digest that was checked before, nothing is unpacked, and
what is too long, too slow or too large for the disk ends in a sentence. The cache keeps the client's layout and locks:

    <cache_dir>/models--owner--name/blobs/<digest>
    <cache_dir>/models--owner--name/snapshots/<commit>/<filename>  ->  ../../blobs/<digest>
"""

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from zoo.errors import AccessError, IntegrityError
from zoo.hub.request import Claim, Request
from zoo.hub.responses import within
from zoo.printing import as_text

SLOWEST_BYTES_PER_SECOND = 10_000  # on average, over a download
START_SECONDS = 60.0  # for the first byte, and on top of what the slowest rate allows
_PROGRESS_BYTES = 1 << 20  # so much has come, and a broken connection is worth another at once
_UNDECLARED_BYTES = 64 << 20  # at most, of a file whose size the Hub does not say


def download(request: Request, claim: Claim) -> None:
    """Put the file into the cache, once however many processes ask for it. Its bytes are still to be verified.

    Raises:
        IntegrityError: More or fewer bytes came than were declared, or packed ones.
        AccessError: It does not fit on the disk.
        TimeoutError: It took too long.
        As the client: OSError for the disk, its own errors for the network.
    """
    from huggingface_hub.utils import WeakFileLock

    blob, pointer = request.folder / "blobs" / claim.digest, request.path(claim.revision)
    lock = request.cache_dir / ".locks" / request.folder.name / f"{claim.digest}.lock"
    for path in (blob, pointer, lock):
        path.parent.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(lock):
        if pointer.exists():
            return
        if not blob.exists():
            _check_room(request, claim, blob.parent)
            _fill(request, claim, blob)
        _link(pointer, blob)


def _check_room(request: Request, claim: Claim, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if (claim.size_bytes or 0) > free:
        raise AccessError(
            f"{request} has {claim.size_bytes:,} bytes, and {request.cache_dir} has room for {free:,}. Make room, or "
            "pass a cache_dir= on a larger disk."
        )


def _fill(request: Request, claim: Claim, blob: Path) -> None:
    """Write the blob, whole or not at all; go on after a broken connection."""
    from huggingface_hub.errors import HTTPError

    partial = blob.with_name(f"{blob.name}.{uuid.uuid4().hex[:8]}.incomplete")
    deadline = time.monotonic() + START_SECONDS + (claim.size_bytes or _UNDECLARED_BYTES) / SLOWEST_BYTES_PER_SECOND
    try:
        with partial.open("wb") as file, _progress(request, claim) as progress:
            while True:
                before = file.tell()
                try:
                    _receive(request, claim, file, progress, deadline)
                    break
                except HTTPError:
                    if file.tell() - before < _PROGRESS_BYTES:
                        raise
        partial.replace(blob)
    finally:
        partial.unlink(missing_ok=True)


def _receive(request: Request, claim: Claim, file: BinaryIO, progress: Any, deadline: float) -> None:
    """Append what is missing to the file, or all of it where the Hub starts over."""
    limit = _UNDECLARED_BYTES if claim.size_bytes is None else claim.size_bytes
    with _response(request, claim, file.tell(), deadline) as response:
        if not response.headers.get("Content-Range", "").startswith(f"bytes {file.tell()}-"):
            progress.update(-file.tell())
            file.seek(0), file.truncate()
        for piece in response.iter_raw():
            if time.monotonic() > deadline:
                raise TimeoutError(f"it came slower than {SLOWEST_BYTES_PER_SECOND:,} bytes per second")
            if file.tell() + len(piece) > limit:
                raise _damaged(request, f"more than {limit:,}", limit)
            file.write(piece)
            progress.update(len(piece))
    if claim.size_bytes not in (None, file.tell()):
        raise _damaged(request, file.tell(), limit)


def _damaged(request: Request, came: int | str, declared: int) -> IntegrityError:
    return IntegrityError(
        f"{request} arrived damaged: {came} bytes. Its publisher declared {declared}. Try again, or from another "
        "network."
    )


@contextlib.contextmanager
def _response(request: Request, claim: Claim, start: int, deadline: float) -> Iterator[Any]:
    """The open response with the content from `start` on, as uncompressed bytes."""
    from huggingface_hub import constants, get_session, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import build_hf_headers

    headers = build_hf_headers(token=request.token, library_name="layerzoo") | {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    client, url = get_session(), hf_hub_url(request.repo_id, request.filename, revision=claim.revision)
    asked = client.build_request("GET", url, headers=headers, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT)
    seconds = min(START_SECONDS, deadline - time.monotonic())
    response = within(seconds, lambda: client.send(asked, stream=True, follow_redirects=True))
    try:
        if not response.is_success:
            raise HfHubHTTPError(f"HTTP {response.status_code}", response=response)
        if (packing := response.headers.get("Content-Encoding", "identity")) != "identity":
            raise IntegrityError(
                f"{request} came packed ({packing}), which was not asked for. Expected its own bytes; check "
                "HF_ENDPOINT and proxies."
            )
        yield response
    finally:
        response.close()


def _progress(request: Request, claim: Claim) -> Any:
    """A bar on stderr, where that is a terminal."""
    from huggingface_hub.utils import tqdm

    name = as_text(request.filename)[-40:]
    return tqdm(total=claim.size_bytes, desc=name, unit="B", unit_scale=True, disable=None)


def _link(pointer: Path, blob: Path) -> None:
    """Let the snapshot show the blob; on a disk without links it becomes the file itself."""
    from huggingface_hub import constants

    try:
        if constants.HF_HUB_DISABLE_SYMLINKS:
            raise OSError("links are switched off")
        pointer.unlink(missing_ok=True)
        pointer.symlink_to(os.path.relpath(blob, pointer.parent))
    except OSError:
        blob.replace(pointer)
