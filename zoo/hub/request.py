"""One request to the Hub, checked before anything is done with it."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from zoo.errors import InputError

COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
DIGEST = re.compile(r"[0-9a-f]{64}|[0-9a-f]{40}")  # SHA-256, or git's SHA-1 for a small file
_REPO_ID = re.compile(r"(?!.*(--|\.\.|\.git$))\b[\w.-]{1,96}\b/\b[\w.-]{1,96}\b", re.ASCII)


def check_repo_id(repo_id: str) -> None:
    """Refuse what cannot be a repository.

    Raises:
        InputError: It is not of the form "owner/name".
    """
    if not _REPO_ID.fullmatch(repo_id):
        raise InputError(
            f"'{repo_id}' is not a repository id. Expected 'owner/name', in letters, digits, '-', '_' and '.', as the "
            "address of its page shows it."
        )


@dataclass(frozen=True)
class Request:
    """The arguments of one `fetch`, checked."""

    repo_id: str
    filename: str
    revision: str | None
    sha256: str | None
    cache_dir: Path
    token: str | bool | None
    offline: bool
    largest_bytes: int | None = None  # that the Hub may declare

    def __post_init__(self):
        check_repo_id(self.repo_id)
        for name, value in (("filename", self.filename), ("revision", self.revision)):
            path = PureWindowsPath("-" if value is None else value)  # knows drives and both slashes
            if not path.parts or path.anchor or ".." in path.parts:
                raise InputError(f"`{name}` must be a path inside a repository. Received: {name}={value!r}.")
        if self.sha256 is not None and not SHA256.fullmatch(self.sha256):
            raise InputError(f"`sha256` must be 64 lower-case hexadecimal digits. Received: sha256={self.sha256!r}.")

    @property
    def is_pinned(self) -> bool:
        return self.revision is not None and COMMIT.fullmatch(self.revision) is not None

    @property
    def folder(self) -> Path:
        return self.cache_dir / f"models--{self.repo_id.replace('/', '--')}"

    @property
    def record_path(self) -> Path:
        key = hashlib.sha256(f"{self.revision or ''}\n{self.filename}".encode()).hexdigest()
        return self.folder / "zoo" / f"{key[:32]}.json"

    def path(self, commit: str) -> Path:
        return self.folder / "snapshots" / commit / self.filename

    def __str__(self) -> str:
        """The file as messages name it."""
        revision = f" at '{self.revision}'" if self.revision else ""
        return f"'{self.filename}' of '{self.repo_id}'{revision}"


@dataclass(frozen=True)
class Claim:
    """What the bytes must be, before anyone has looked at them. Its parts are checked: paths are made of them."""

    revision: str  # a commit
    digest: str  # SHA-256, or git's SHA-1 of a small file outside LFS
    size_bytes: int | None = None  # unknown where only a registry's pin is known
