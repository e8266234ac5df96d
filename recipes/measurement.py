"""One measurement on a standard set: what it needs, what it gives, and who quotes it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

Table = dict[str, dict[str, float]]  # a row for each method, and its columns


class Measurement(NamedTuple):
    """`folders` are what `tables` reads below the folder of all sets; `records` are the checkpoints that quote it.

    `tables` gives each table under the key that it has in the records.
    """

    title: str
    folders: tuple[str, ...]
    records: tuple[str, ...]
    tables: Callable[[Path], dict[str, Table]]
