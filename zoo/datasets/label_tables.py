"""A table beside the images that says what they show: the data of one label, of several labels, or of quantities.

    FOLDER/labels.csv           a column `file`, and columns of labels or quantities
    FOLDER/train/labels.csv     apart, in `train`, `val` and `test`, or what else people call them

or `labels.parquet`, or `metadata.csv` with a column `file_name`, as Hugging Face's `datasets` has them. Files are named
from the table's folder on. One table may serve all splits by a column `split`. Imports neither Keras nor TensorFlow.
"""

import csv
import os
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zoo.datasets import folders
from zoo.errors import InputError, MissingExtraError, UnreadableError
from zoo.printing import as_text

TABLES = ("labels.csv", "labels.parquet", "metadata.csv", "metadata.parquet")
FILES = ("file", "file_name", "filename", "image", "path")
SPLIT = "split"
LAYOUT = f"Expected a header with one of the columns {', '.join(FILES)}, then columns of labels or numbers."

Column = list[Any] | np.ndarray  # text or lists of text, or numbers: `(n,)`


class Table(NamedTuple):
    """Where the images lie, and what is said of them, by column."""

    images: list[Path]
    columns: dict[str, Column]


def find_table(data: str | os.PathLike, split: str) -> Path | None:
    """The table of a split; None where there is none.

    Args:
        data: A folder, or a table itself.
        split: Which part of a folder that has parts.
    """
    path = Path(data)
    if path.suffix.lower() in (".csv", ".parquet"):
        return path
    places = [path, folders.split_folder(path, split)] if path.is_dir() else []
    return next((place / name for place in places for name in TABLES if (place / name).is_file()), None)


def has_split(data: str | os.PathLike, split: str) -> bool:
    """Whether the data have a table of this split alone."""
    table = find_table(data, split)
    if table is None:
        return False
    if table.parent == folders.split_folder(data, split):
        return True
    names = _columns(table).get(SPLIT)
    return names is not None and split in map(_canonical, names)


def read_table(table: Path, split: str) -> Table:
    """The rows of a table, of this split where a column says so.

    Raises:
        InputError: There is no row, no column of files, a file twice, or no column of anything else.
        UnreadableError: It cannot be read.
        MissingExtraError: It is a Parquet file, and `layerzoo[batch]` is not installed.
    """
    columns = _columns(table)
    name = next((name for name in FILES if name in columns), None)
    if name is None:
        raise InputError(f"{table} has the columns {', '.join(map(as_text, columns)) or 'none'}. {LAYOUT}")
    files, splits = columns.pop(name), columns.pop(SPLIT, None)
    rows = [row for row in range(len(files)) if splits is None or _canonical(splits[row]) == split]
    if not rows:
        part = "" if splits is None else f" of the split {split!r}, but of {', '.join(sorted(set(map(str, splits))))}"
        raise InputError(f"{table} has no row{part}. Expected at least one.")
    if not columns:
        raise InputError(f"{table} has no column beside {name!r}. {LAYOUT}")
    chosen = [str(files[row]) for row in rows]
    if twice := [file for file, count in Counter(chosen).items() if count > 1]:
        raise InputError(
            f"{table} has {len(twice)} files more than once, such as {as_text(twice[0])}. Expected one row per image; "
            "several labels of one are written cat;dog."
        )
    kept: dict[str, Column] = {
        key: values[rows] if isinstance(values, np.ndarray) else [values[row] for row in rows]
        for key, values in columns.items()
    }
    return Table([table.parent / file for file in chosen], kept)


def _canonical(name: Any) -> str:
    return folders.CANONICAL.get(str(name).strip().lower(), str(name))


def _columns(table: Path) -> dict[str, Column]:
    read = _read_parquet if table.suffix.lower() == ".parquet" else _read_csv
    try:
        return read(table)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {table}. Expected a table, or a folder that contains one.") from error
    except (OSError, ValueError, csv.Error) as error:
        raise UnreadableError(f"{table} cannot be read as a table ({error}). {LAYOUT}") from error


def _read_csv(table: Path) -> dict[str, Column]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        delimiter = max(",\t;", key=header.count)  # a comma where there is none
        rows = [row for row in csv.reader(file, delimiter=delimiter) if row]
    names = [name.strip() for name in rows[0]] if rows else []
    if len(set(names)) < len(names):
        raise ValueError(f"two columns are called {Counter(names).most_common(1)[0][0]!r}")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(names):
            raise ValueError(f"row {number} has {len(row)} cells instead of {len(names)}")
    cells = {name: [row[place].strip() for row in rows[1:]] for place, name in enumerate(names)}
    return {name: values if name in (*FILES, SPLIT) else _typed(values) for name, values in cells.items()}


def _typed(cells: list[str]) -> Column:
    """Numbers where all cells are some, NaN where one is empty; text as it is."""
    words = {"true": 1, "false": 0}
    if cells and all(cell.lower() in words for cell in cells):
        return np.array([words[cell.lower()] for cell in cells])
    try:
        return np.array([int(cell) for cell in cells], np.int64)
    except (ValueError, OverflowError):
        pass
    try:
        numbers = np.array([float(cell or "nan") for cell in cells])
    except ValueError:
        return list(cells)
    return list(cells) if np.isnan(numbers).all() else numbers


def _read_parquet(table: Path) -> dict[str, Column]:
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(
            f"{table} is a Parquet file, and pyarrow is not installed. Expected the extra: pip install "
            "'layerzoo[batch]'."
        ) from error
    content = pyarrow.parquet.read_table(table)
    found: dict[str, Column] = {}
    for name in content.column_names:
        column = content.column(name)
        is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        if pa.types.is_boolean(column.type):
            column, is_number = column.cast(pa.int8()), True
        found[name] = column.to_numpy() if is_number else column.to_pylist()
    return found
