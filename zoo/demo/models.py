"""The models of a page: which it may show, and those that stay loaded between requests."""

import functools
import threading

from zoo.errors import InputError
from zoo.handles import resolve
from zoo.loading import ready
from zoo.model import ZooModel
from zoo.registry import Entry, registry

KEPT = 3  # the last that were asked for; the largest of the registry takes 3.4 GB


class Models:
    """The models of one page.

    Args:
        own_files: Whether folders and `.keras` files of this machine may be shown too.
    """

    def __init__(self, *, own_files: bool):
        self.own_files = own_files
        self._loading = threading.Lock()
        self._load = functools.lru_cache(KEPT)(ready)

    def entry(self, handle: str) -> Entry:
        """What is known of a model, before it is loaded where that is possible.

        Raises:
            UnknownModelError: There is none of this name; files of this machine count as none.
            InputError: Nobody has trained it.
            As `zoo.load`.
        """
        self._refuse_own_files(handle)
        located = resolve(handle)
        entry = located.entry
        has_weights = entry.pretrained or located.handle.path is not None
        if entry.random_layers or entry.random != "none" or not has_weights:
            raise InputError(f"{entry.name} has random weights. Expected a model that was trained; see `zoo list`.")
        return entry

    def model(self, handle: str) -> ZooModel:
        """The model, loaded once however many ask for it at the same time. Raises as `zoo.load`."""
        self._refuse_own_files(handle)
        with self._loading:
            return self._load(handle)

    def _refuse_own_files(self, handle: str) -> None:
        if not (self.own_files or handle.startswith("hf://")):
            registry().find(handle.partition("@")[0])
