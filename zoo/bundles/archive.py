"""The form of a bundle: a tar file without compression, of which only one spelling is right.

Its first member is `SHA256SUMS`, as `sha256sum -c` reads it; the others follow in the order of that list, without time,
owner or permissions. So the same content is the same file byte for byte, and whatever differs was changed.
"""

import contextlib
import hashlib
import io
import re
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from zoo.errors import IntegrityError, ZooError

SUMS = "SHA256SUMS"
LARGEST_SUMS_BYTES = 16_000_000
_LINE = re.compile(r"([0-9a-f]{64})  ([^/\\\0\n][^\\\0\n]*)")


def write_archive(files: Mapping[str, Path | bytes], target: Path) -> None:
    """Write a bundle of these files, by their path in it."""
    with contextlib.ExitStack() as stack, target.open("wb") as file:
        opened = {path: stack.enter_context(_opened(content)) for path, content in sorted(files.items())}
        sums = _sums({path: _sha256(content) for path, content in opened.items()})
        _write(file, [(SUMS, io.BytesIO(sums)), *opened.items()])


def read_sums(text: bytes, where: str) -> dict[str, str]:
    """The digests of a bundle's files, by path, from its list.

    Raises:
        IntegrityError: It is not such a list.
    """
    try:
        lines = [_LINE.fullmatch(line) for line in text.decode().split("\n")[:-1]]
    except UnicodeDecodeError:
        lines = [None]
    found = {line[2]: line[1] for line in lines if line}
    is_inside = not any(".." in path.split("/") for path in found)
    if not (lines and all(lines) and is_inside and _sums(found) == text):
        raise IntegrityError(
            f"The {SUMS} of {where} is damaged. Expected a hash and a path per line, in the order of the paths; copy "
            "the bundle again."
        )
    return found


def check_archive(path: Path) -> None:
    """Compare every byte of a bundle with those of a bundle of its content.

    Raises:
        IntegrityError: Names the first file that differs.
    """
    try:
        with tarfile.open(path, "r:") as archive, path.open("rb") as file:
            digests = read_sums(member_of(archive, SUMS).read(LARGEST_SUMS_BYTES), str(path))
            members = {name: member_of(archive, name) for name in (SUMS, *digests)}
            for name, digest in digests.items():
                if _sha256(members[name]) != digest:
                    raise _damaged(path, f"{name} has another SHA-256 than {digest}")
            _write(_Comparison(file, path), members.items())
            if file.read(1):
                raise _damaged(path, "it continues after its end")
    except ZooError:  # some of them are OSErrors too
        raise
    except (tarfile.TarError, KeyError, OSError) as error:
        raise _damaged(path, f"{error}") from error


def _sums(digests: Mapping[str, str]) -> bytes:
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests)).encode()


def _write(file: Any, members: Iterable[tuple[str, IO[bytes]]]) -> None:
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.GNU_FORMAT) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = content.seek(0, io.SEEK_END)
            content.seek(0)
            archive.addfile(info, content)


def _sha256(file: Any) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(content: Path | bytes) -> IO[bytes]:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def member_of(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    """A file in an archive. Raises KeyError where there is none of this name."""
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(f"{name} is not a file")
    return member


class _Comparison:
    """A file to write to: what is written is compared with what is there."""

    def __init__(self, file: IO[bytes], path: Path):
        self.file, self.path = file, path

    def write(self, content: bytes) -> None:
        if self.file.read(len(content)) != content:
            raise _damaged(self.path, f"the {len(content):,} bytes before byte {self.file.tell():,} are others")


def _damaged(path: Path, reason: str) -> IntegrityError:
    return IntegrityError(f"{path} is damaged ({reason}). Expected a file as `zoo bundle` wrote it; copy it again.")
