"""The models of a page: which it may show, and those that stay loaded between requests."""

import functools
import tempfile
import threading
from typing import Any

from zoo.catalogue.entry import Entry
from zoo.catalogue.handles import parse
from zoo.catalogue.registry import registry
from zoo.catalogue.resolving import resolve
from zoo.errors import InputError
from zoo.export.opened import ExportedModel
from zoo.hub.hubs import scheme_of
from zoo.loading import answering
from zoo.model import ZooModel

KEPT = 3  # the last that were asked for; the largest of the registry takes 3.4 GB


class Models:
    """The models of one page.

    Args:
        own_files: Whether folders, exports and `.keras` files of this machine may be shown too.
        own_token: Whether repositories may be shown that need the token of this machine. Else they are loaded as
            anybody gets them, into a cache of their own: that of this machine contains what its token has downloaded.
    """

    def __init__(self, *, own_files: bool, own_token: bool):
        self.own_files, self.own_token = own_files, own_token
        self._loading = threading.Lock()
        self._load = functools.lru_cache(KEPT)(lambda handle: answering(handle, **self._options(handle)))

    def entry(self, handle: str) -> Entry:
        """What is known of a model, before it is loaded where that is possible.

        Raises:
            UnknownModelError: There is none of this name; files of this machine count as none.
            InputError: Nobody has trained it.
            As `zoo.load`.
        """
        located = resolve(handle, **self._options(handle))
        entry = located.entry
        has_weights = entry.pretrained or located.handle.path is not None or located.handle.kind == "bundle"
        if entry.random_layers or entry.random != "none" or not has_weights:
            raise InputError(f"{entry.name} has random weights. Expected a model that was trained; see `zoo list`.")
        return entry

    def model(self, handle: str) -> ZooModel | ExportedModel:
        """The model, loaded once however many ask for it at the same time. Raises as `zoo.load`."""
        self._options(handle)
        with self._loading:
            return self._load(handle)

    def _options(self, handle: str) -> dict[str, Any]:
        """How a model is loaded. Raises InputError for what is not a handle, UnknownModelError for what is not
        shown."""
        if not isinstance(handle, str):
            raise InputError(f"A model has no name {handle!r}. Expected one of `zoo list`, or hf://owner/name.")
        if not (self.own_files or scheme_of(handle)):
            registry().find(handle.partition("@")[0])  # does not look whether there is such a file
        is_hub = parse(handle).kind == "hub"
        return {"token": False, "cache_dir": self._cache.name} if is_hub and not self.own_token else {}

    @functools.cached_property
    def _cache(self) -> tempfile.TemporaryDirectory:
        return tempfile.TemporaryDirectory(prefix="zoo-demo-", ignore_cleanup_errors=True)
