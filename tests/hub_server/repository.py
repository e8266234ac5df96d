"""Repositories as the test Hub stores them, and its responses."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

LFS_SUFFIXES = (".safetensors", ".h5", ".keras", ".bin", ".npz", ".pb")  # every other file is a plain git blob


@dataclass
class HubRepository:
    """A repository as the Hub keeps it: commits, each a whole tree, and names that point at them."""

    repo_id: str
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    is_gated: bool = False
    is_private: bool = False
    readers: set[str] = field(default_factory=set)  # tokens that may read where it is gated or private

    def commit(self, files: dict[str, bytes], branch: str = "main", deleted: Iterable[str] = ()) -> str:
        """Add `files` on top of `branch`, without those `deleted`, and return the new commit."""
        tree = {**self.commits.get(self.branches.get(branch, ""), {}), **files}
        tree = {name: content for name, content in tree.items() if name not in set(deleted) - set(files)}
        parts = [str(len(self.commits)).encode(), self.repo_id.encode()]
        parts += [name.encode() + b"\0" + content for name, content in sorted(tree.items())]
        commit = hashlib.sha1(b"\n".join(parts), usedforsecurity=False).hexdigest()
        self.commits[commit] = tree
        self.branches[branch] = commit
        return commit

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, tag or commit names, or None."""
        commit = self.branches.get(revision) or self.tags.get(revision) or revision
        return commit if commit in self.commits else None


def git_sha1(content: bytes) -> str:
    """The name of a git blob."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def is_lfs(filename: str) -> bool:
    """Whether the Hub keeps the file in LFS."""
    return filename.endswith(LFS_SUFFIXES)


def blob(filename: str, content: bytes) -> dict[str, Any]:
    """What the Hub says of a file's content."""
    known: dict[str, Any] = {"size": len(content), "blobId": git_sha1(content)}
    if is_lfs(filename):
        sha256 = hashlib.sha256(content).hexdigest()
        known["lfs"] = {"oid": sha256, "sha256": sha256, "size": len(content), "pointerSize": 134}
    return known


def card_data(tree: dict[str, bytes]) -> dict[str, Any]:
    """The metadata with which the card begins."""
    parts = tree.get("README.md", b"").decode().split("---\n")
    return yaml.safe_load(parts[1]) if len(parts) > 2 else {}


class Answer(Exception):  # noqa: N818 - it ends the handling of a request, with an error or without
    """Raised by a route to end it with this answer."""

    def __init__(self, status: int, content: bytes = b"", **headers: str):
        self.status, self.content = status, content
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def json_answer(value: object, status: int = 200, **headers: str) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(value).encode(), Content_Type="application/json", **headers)


def error_answer(status: int, code: str, message: str) -> Answer:
    """An error as the Hub says it."""
    return json_answer({"error": message}, status, X_Error_Code=code, X_Error_Message=message)
