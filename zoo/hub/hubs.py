"""Which hubs there are: a module each, found by the scheme of its addresses, `hf://owner/name`.

A second hub, or another place from which files come, is one module with what `Hub` lists, and its line in `HUBS`.
"""

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

HUBS = {"hf": "zoo.hub.hugging_face"}


@dataclass(frozen=True)
class HubFile:
    """A verified file on this disk, and where its bytes come from."""

    path: Path
    repo_id: str
    filename: str
    revision: str  # always a commit, 40 hexadecimal digits
    sha256: str
    size_bytes: int


class Hub(Protocol):
    """What the module of a hub has. A repository is called `owner/name` everywhere."""

    PAGE: str  # address of the hub for a browser, which a repository's own begins with

    def fetch(
        self,
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
        """Download one file, verified. Raises what `zoo.hub.fetching.fetch` raises."""
        ...

    def recorded(
        self,
        repo_id: str,
        filename: str,
        *,
        revision: str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> HubFile | None:
        """What an earlier `fetch` with the same arguments established, without network; None where there was none."""
        ...

    def filenames(self, repo_id: str, *, revision: str) -> list[str]:
        """The files that a repository contains at a commit. Raises OfflineError where the hub does not respond."""
        ...

    def meant(self, text: str) -> str | None:
        """The handle for a repository of this hub that is written as other programs write it; None for other text."""
        ...


def find_hub(scheme: str) -> Hub:
    """The hub whose addresses begin with this scheme, one of `HUBS`."""
    return cast(Hub, importlib.import_module(HUBS[scheme]))


def scheme_of(text: str) -> str:
    """The scheme that an address of a hub begins with, such as `hf`; empty for any other text."""
    scheme, separator, _ = text.partition("://")
    return scheme if separator and scheme in HUBS else ""
