"""What is predicted: files, or the cells of a column of Parquet files; listed once, in an order that stays.

A *share* is what one worker reads in one go: some files, or one row group of a Parquet file. A *piece* is at most
`PIECE` inputs of a share, whose rows become one file: the unit that is kept when a job is killed.
"""

import glob
import hashlib
import os
import platform
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from zoo.batch.writing import open_rows
from zoo.datasets.folders import is_hidden
from zoo.errors import InputError
from zoo.imaging.files import Content, File

PIECE = 256  # inputs
READ = 16  # cells of a column at once


class Input(NamedTuple):
    """One input: what its row calls it, and the path of a file or the content of one."""

    name: str
    source: str | bytes | None

    def file(self) -> File:
        """What `Task.prepare` takes.

        Raises:
            InputError: There is none.
        """
        if self.source is None:
            raise InputError(f"{self.name} is empty. Expected the bytes of a file.")
        return Content(self.source, self.name) if isinstance(self.source, bytes) else self.source


class Piece(NamedTuple):
    """The inputs of one file of rows; iterated once, before those of the next piece."""

    number: int
    inputs: Iterable[Input]


class Listing:
    """The shares of a job, each as `json.dumps` takes it; once they are iterated, the totals.

    Attributes:
        count: How many inputs there are.
        pieces: How many pieces.
        digest: SHA-256 of the names and sizes of all files.

    Args:
        sources: Files, folders (with all that is below, but hidden files) or patterns of `glob`.
        column: The column of bytes, where the files are Parquet files.
        without: Files and folders that are left out.

    Raises:
        InputError: While it is iterated: there is nothing, it cannot be read, or there is no such column.
    """

    def __init__(self, sources: Sequence[str], column: str | None, without: Collection[Path]):
        self.sources, self.column, self.without = sources, column, {os.path.abspath(path) for path in without}
        self.count, self.pieces, self._digest = 0, 0, hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        files = (path for source in self.sources for path in self._files(source))
        for share in self._row_groups(files) if self.column else _groups_of_files(files):
            share = {"first_piece": self.pieces, "root": os.getcwd(), **share}
            yield share
            self.count += share["count"]
            self.pieces = piece_numbers(share).stop
        if not self.count:
            raise InputError(f"{', '.join(self.sources)} contains nothing to predict. Expected files, or rows.")

    def _files(self, source: str) -> Iterator[str]:
        paths = _below(source, self.without) if os.path.isdir(source) else _matches(source)
        for path in paths:
            if self.column and os.path.isdir(source) and not path.endswith(".parquet"):
                continue
            try:
                status = os.stat(path)
                size = status.st_size
            except OSError:  # a link to nowhere: its row will say so
                size = -1
            if os.path.abspath(path) not in self.without and (size < 0 or stat.S_ISREG(status.st_mode)):
                self._digest.update(os.fsencode(path) + f" {size}\n".encode())
                yield path

    def _row_groups(self, files: Iterable[str]) -> Iterator[dict[str, Any]]:
        for path in files:
            column = _checked_column(path, self.column or "")
            with open_rows(path) as rows:
                metadata, row = rows.metadata, 0
            for group in range(metadata.num_row_groups):
                count = metadata.row_group(group).num_rows
                yield {"count": count, "parquet": path, "row_group": group, "row": row, "column": column}
                row += count


def _below(folder: str, without: Collection[str]) -> Iterator[str]:
    """The files in a folder, by name, then those of its folders; one folder's names are in memory at a time."""

    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename} cannot be read ({error.strerror}). Expected a folder that can.")

    for parent, folders, names in os.walk(folder, onerror=refuse):
        paths = {name: os.path.join(parent, name) for name in folders}
        folders[:] = [
            name for name in sorted(folders) if not is_hidden(name) and os.path.abspath(paths[name]) not in without
        ]
        yield from (os.path.join(parent, name) for name in sorted(names) if not is_hidden(name))


def _matches(pattern: str) -> Iterator[str]:
    found = [pattern] if os.path.lexists(pattern) else sorted(glob.glob(pattern, recursive=True))
    if not found:
        raise InputError(f"There is no {pattern}. Expected a folder, files, or a pattern such as 'photos/*.jpg'.")
    yield from found


def _groups_of_files(files: Iterable[str]) -> Iterator[dict[str, Any]]:
    files = iter(files)
    while group := list(islice(files, PIECE)):
        yield {"count": len(group), "files": group}


def _checked_column(path: str, column: str) -> str:
    """The leaf that contains the bytes: the column, or its `bytes` where it is a struct, as Hugging Face writes
    images."""
    try:
        with open_rows(path) as rows:
            found = rows.schema_arrow
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path} cannot be read as a Parquet file ({error}). Expected one with {column!r}.") from error
    kind = found.field(column).type if column in found.names else None
    contents = (pa.binary(), pa.large_binary())
    if kind in contents:
        return column
    if isinstance(kind, pa.StructType) and any(each.name == "bytes" and each.type in contents for each in kind):
        return f"{column}.bytes"
    raise InputError(
        f"{path} has no column {column!r} of bytes. Expected the content of an image file in each row. "
        f"Its columns: {', '.join(f'{field.name} ({field.type})' for field in found)}."
    )


def piece_numbers(share: dict[str, Any]) -> range:
    """The numbers of the pieces of a share."""
    return range(share["first_piece"], share["first_piece"] + -(-share["count"] // PIECE))


def pieces(share: dict[str, Any], wanted: Mapping[int, int]) -> Iterator[Piece]:
    """The pieces of a share whose numbers are wanted, each without as many of its first inputs as `wanted` says.

    Raises:
        InputError: None of its files is there, or the Parquet file is damaged.
    """
    inputs = _cells(share) if "parquet" in share else _paths(share)
    for number in piece_numbers(share):
        part = islice(inputs, PIECE)
        if number in wanted:
            yield Piece(number, islice(part, wanted[number], None))
        for _ in part:  # read over what is there already
            pass


def _paths(share: dict[str, Any]) -> Iterator[Input]:
    files = [Input(name, os.path.join(share["root"], name)) for name in share["files"]]
    if not any(os.path.lexists(item.source or "") for item in files):
        raise InputError(
            f"On {platform.node()} there is none of the files from {files[0].name} to {files[-1].name}. Expected them "
            "where they were listed; on a cluster, on a disk that every machine has under the same path."
        )
    yield from files


def _cells(share: dict[str, Any]) -> Iterator[Input]:
    row, group = share["row"], share["row_group"]
    try:
        with open_rows(os.path.join(share["root"], share["parquet"]), pre_buffer=False, buffer_size=1 << 20) as file:
            for batch in file.iter_batches(READ, row_groups=[group], columns=[share["column"]]):
                column = batch.column(0)
                for cell in column.field("bytes") if isinstance(column, pa.StructArray) else column:
                    yield Input(f"{share['parquet']}:{row}", cell.as_py())
                    row += 1
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(
            f"{share['parquet']} cannot be read from row {row} on ({error}). Expected a whole Parquet file, on a "
            "cluster under the same path on every machine."
        ) from error
