"""A job on disk: what it is about, the rows that are done, and the one file that they become."""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import filelock
import pyarrow as pa

from zoo.batch.inputs import PIECE, Listing, piece_numbers
from zoo.batch.writing import open_rows, write_rows
from zoo.errors import InputError
from zoo.whole import writable

KEEP_SECONDS = 30  # of work that a process may lose which is killed
KEY = b"layerzoo"  # of the settings in the file's metadata


class Job:
    """Rows on their way to `output`; until all are there, they are in the folder `OUTPUT.parts` beside it.

    Args:
        output: The Parquet file.
        listing: What there is to predict.
        settings: All else that decides the rows, as `json.dumps` takes it.
        schema: Of the rows.
    """

    def __init__(self, output: Path, listing: Listing, settings: dict[str, Any], schema: pa.Schema):
        self.output, self.listing, self.schema = output, listing, schema
        self.settings = {**settings, "columns": [f"{field.name}: {field.type}" for field in schema]}
        self.folder = parts_folder(output)

    def is_finished(self) -> bool:
        """Whether `output` is there already, and contains just what is asked for.

        Raises:
            InputError: It contains something else.
        """
        if not self.output.exists():
            return False
        if (found := recorded(self.output)) is None:
            raise InputError(
                f"{self.output} is not a file of predictions, and was left unchanged. Choose another output file."
            )
        for _ in self.listing:
            pass
        _check_same(self.output, found, self._whole_settings())
        shutil.rmtree(self.folder, ignore_errors=True)  # of a process that was killed right before it did this
        return True

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the folder, alone, with the list of the inputs in it.

        Raises:
            InputError: It is another job's, or another process is at work on it.
            AccessError: It cannot be written.
        """
        with writable(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.folder / "lock")
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                raise InputError(
                    f"Another process writes {self.output}. Expected to be the only one: wait for it, or choose "
                    "another output file."
                ) from None
        try:
            try:
                self._begin()
            except InputError:
                if not (self.folder / "job.json").exists():  # nothing was begun
                    shutil.rmtree(self.folder)
                raise
            yield
        finally:
            lock.release()

    def _begin(self) -> None:
        inputs, facts, partial = (self.folder / name for name in ("inputs.jsonl", "job.json", "partial.json"))
        with writable(partial), partial.open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(share)}\n" for share in self.listing)
        if facts.is_file():
            _check_same(self.folder, json.loads(facts.read_text(encoding="utf-8")), self._whole_settings())
        with writable(partial):
            partial.replace(inputs)
            partial.write_text(json.dumps(self._whole_settings()), encoding="utf-8")
            partial.replace(facts)

    def _whole_settings(self) -> dict[str, Any]:
        return {**self.settings, "inputs": self.listing.digest, "count": self.listing.count}

    def missing(self) -> tuple[dict[int, int], int]:
        """The pieces that are to be made, each with how many of its rows are there, and how many are there in all."""
        wanted, rows = {}, 0
        for share in self._every_share():
            for place, number in enumerate(piece_numbers(share)):
                kept = sum(map(_count, self._parts(number)))
                rows += kept
                if kept < min(PIECE, share["count"] - place * PIECE):
                    wanted[number] = kept
        return wanted, rows

    def shares(self, wanted: Collection[int]) -> Iterator[dict[str, Any]]:
        """The shares that hold the pieces that are wanted."""
        return (share for share in self._every_share() if any(number in wanted for number in piece_numbers(share)))

    def _every_share(self) -> Iterator[dict[str, Any]]:
        with (self.folder / "inputs.jsonl").open(encoding="utf-8") as file:
            yield from map(json.loads, file)

    def write(self, number: int, kept: int, tables: Iterable[pa.Table]) -> None:
        """Keep the rows of one piece, those after the `kept` first, at least every half a minute."""
        tables = iter(tables)
        for first in tables:
            kept += write_rows(self._part(number, kept), self.schema, _for_a_while(first, tables))

    def finish(self) -> None:
        """Make one file of all the pieces, and remove their folder."""
        whole = self.folder / "whole.parquet"
        metadata = {KEY: json.dumps(self._whole_settings()).encode()}
        write_rows(whole, self.schema.with_metadata(metadata), self._tables())
        with writable(self.output):
            whole.replace(self.output)
            shutil.rmtree(self.folder)

    def summary(self) -> dict[str, Any]:
        """The result, as `json.dumps` takes it: `output`, `model`, `count` of rows, and how many of them are
        `errors`."""
        with open_rows(self.output) as file:
            answered = sum(batch.column(0).null_count for batch in file.iter_batches(columns=["error"]))
            count = file.metadata.num_rows
        facts = {"output": os.fspath(self.output), "model": self.settings["model"]}
        return {**facts, "count": count, "errors": count - answered}

    def _part(self, number: int, start: int) -> Path:
        """Where rows of a piece lie, from one on."""
        return self.folder / f"{number + 1:05}-{start:03}.parquet"

    def _parts(self, number: int) -> list[Path]:
        """The files of a piece that are there; rows follow upon one another, as they are computed in order."""
        parts, start = [], 0
        while (part := self._part(number, start)).is_file():
            parts.append(part)
            start += _count(part)
        return parts

    def _tables(self) -> Iterator[pa.Table]:
        for number in range(self.listing.pieces):
            for part in self._parts(number):
                with open_rows(part) as file:
                    for group in range(file.num_row_groups):
                        yield file.read_row_group(group)


def _count(part: Path) -> int:
    with open_rows(part) as file:
        return file.metadata.num_rows


def _for_a_while(first: pa.Table, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The first table, and those after it that come in time."""
    begun = time.monotonic()
    yield first
    while time.monotonic() - begun < KEEP_SECONDS and (table := next(tables, None)) is not None:
        yield table


def parts_folder(output: Path) -> Path:
    """Where the rows of an unfinished job lie."""
    return output.with_name(f"{output.name}.parts")


def recorded(output: Path) -> dict[str, Any] | None:
    """The settings of the job that is there already, finished or not; None where there is none that can be read."""
    try:
        if output.exists():
            with open_rows(output) as rows:
                return json.loads((rows.schema_arrow.metadata or {})[KEY])
        return json.loads((parts_folder(output) / "job.json").read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError, pa.ArrowInvalid):
        return None


def _check_same(where: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    if keys := [key for key in {**found, **wanted} if found.get(key) != wanted.get(key)]:
        raise InputError(
            f"{where} contains another job: {', '.join(keys)} differ. Expected the same model, arguments and inputs to "
            "resume it; otherwise choose another output file, or remove it to start over."
        )
