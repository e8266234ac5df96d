"""Parquet files that are whole or not there."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import LocalFileSystem

from zoo.whole import writable

# A row group is what a reader keeps in memory at least: few rows where they carry images.
GROUP, GROUP_OF_IMAGES = 4096, 16


@contextlib.contextmanager
def open_rows(path: str | os.PathLike[str], **options: Any) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file, whatever its path contains.

    Raises:
        OSError, pa.ArrowInvalid: It is not there, or not a Parquet file.
    """
    with LocalFileSystem().open_input_file(_local(path)) as file, pq.ParquetFile(file, **options) as rows:
        yield rows


def _local(path: str | os.PathLike[str]) -> bytes:
    """A path as pyarrow opens it as it is: of others, `hf:/x` is an address, and what is not UTF-8 an error."""
    return os.fsencode(os.path.abspath(path))


def write_rows(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Write the tables, one after another, into one file. However the rows are split into tables, its bits are the
    same.

    Returns:
        How many rows.

    Raises:
        AccessError: It cannot be written.
    """
    partial = path.with_name(f"partial-{path.name}")
    with writable(path):
        file = LocalFileSystem().open_output_stream(_local(partial))
        writer = pq.ParquetWriter(file, schema, compression="zstd")
    count = 0
    with file, writer:
        for group in _groups(schema, tables):
            with writable(path):
                writer.write_table(group)
            count += len(group)
        with writable(path):
            writer.close()
            file.close()
    with writable(path):
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(path)
    return count


def _groups(schema: pa.Schema, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows, so many at once."""
    size = GROUP_OF_IMAGES if pa.binary() in schema.types else GROUP
    waiting = schema.empty_table()
    for table in tables:
        waiting = pa.concat_tables([waiting, table])
        while len(waiting) >= size:
            yield waiting.slice(0, size).combine_chunks()
            waiting = waiting.slice(size)
    if len(waiting):
        yield waiting.combine_chunks()
