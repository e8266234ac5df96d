"""Parquet files that are there whole or not at all."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from zoo.whole import writable

# A row group is what a reader holds in memory at least: few rows where they carry pictures.
GROUP, GROUP_OF_PICTURES = 4096, 16


def write_rows(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Write the tables, one after another, into one file. However the rows are dealt to tables, its bits are the same.

    Returns:
        How many rows.

    Raises:
        AccessError: It cannot be written.
    """
    partial = path.with_name(f"partial-{path.name}")
    with writable(path):
        writer = pq.ParquetWriter(partial, schema, compression="zstd")
    count = 0
    with writer:
        for group in _groups(schema, tables):
            with writable(path):
                writer.write_table(group)
            count += len(group)
        with writable(path):
            writer.close()
    with writable(path):
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    return count


def _groups(schema: pa.Schema, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows, so many at once."""
    size = GROUP_OF_PICTURES if pa.binary() in schema.types else GROUP
    waiting = schema.empty_table()
    for table in tables:
        waiting = pa.concat_tables([waiting, table])
        while len(waiting) >= size:
            yield waiting.slice(0, size).combine_chunks()
            waiting = waiting.slice(size)
    if len(waiting):
        yield waiting.combine_chunks()
