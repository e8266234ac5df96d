"""A split of the library `datasets` as pairs of inputs and targets. Its images are decoded when they are wanted.

The input is the first column of images, or `inputs`; the target the first column of classes (`ClassLabel`), or
`targets`, or the second column of images: masks, or depth maps. Other columns do not count.
"""

import os
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.errors import InputError
from zoo.imaging.files import Content, File, opened_image
from zoo.imaging.planes import read_image

EXPECTED = (
    "Expected a column of images, and one of classes (ClassLabel), `targets`, or a second one of images; or "
    "`inputs` and `targets`. See split.rename_column, split.select_columns and split.cast_column."
)


class Cell:
    """One image of a split: an array for NumPy, RGB where it is an input and not of 16 bits.

    Raises:
        UnreadableError: When it is read, and cannot be.
    """

    def __init__(self, rows: Any, column: str, row: int, *, is_input: bool):
        self.rows, self.column, self.row, self.is_input = rows, column, row, is_input

    def _file(self) -> File:
        """What the file contains, or else its path."""
        found = self.rows[self.row][self.column]
        return found["path"] if found["bytes"] is None else Content(found["bytes"], f"{self.column} {self.row}")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        with opened_image(self._file()) as opened:
            opened.load()
            as_it_is = not self.is_input or opened.mode.startswith("I")
            return np.asarray(opened if as_it_is else read_image(opened), dtype)

    def checksum(self) -> int:
        """Changes with the file."""
        file = self._file()
        return zlib.crc32(file if isinstance(file, Content) else os.fsencode(file))


def is_split(data: Any) -> bool:
    """Whether the data are a split. Does not import `datasets`."""
    return hasattr(data, "column_names") and hasattr(data, "features")


def title(split: Any) -> str:
    """What it is called."""
    return " ".join(str(part) for part in (split.info.dataset_name or "a dataset", split.split) if part)


def images(split: Any) -> list[Cell]:
    """The first column of images.

    Raises:
        InputError: There is none, or the split is streamed.
    """
    return _inputs(split, _names(split)[:1])


def columns(split: Any) -> tuple[Sequence[Any], Sequence[Any]]:
    """Inputs and targets.

    Raises:
        InputError: The split has no such columns, or is streamed.
    """
    import datasets

    names = _names(split)
    inputs = _inputs(split, [*names[:1], *_present(split, "inputs")])
    targets = [*_columns(split, datasets.ClassLabel), *_present(split, "targets")]
    if targets:
        return inputs, list(split.with_format("numpy")[targets[0]])
    if len(names) < 2:
        raise InputError(f"The split has the columns {', '.join(split.column_names)}. {EXPECTED}")
    return inputs, _cells(split, names[1], is_input=False)


def labels(split: Any) -> tuple[Sequence[Any], dict[str, Any], tuple[str, ...] | None]:
    """Images, the columns that say something of them, and the names of the classes where they are declared.

    That is the first column of classes, or of lists of classes, which become lists of names; or `targets`; or all
    columns of text, numbers, or lists of them.

    Raises:
        InputError: The split has no such columns, or is streamed.
    """
    import datasets

    names = _names(split)
    inputs = _inputs(split, [*names[:1], *_present(split, "inputs")])
    lists = [name for name, kind in split.features.items() if isinstance(_element(kind), datasets.ClassLabel)]
    if declared := [*_columns(split, datasets.ClassLabel), *lists]:
        feature = split.features[declared[0]]
        known = tuple((_element(feature) or feature).names)
        values = list(split.with_format(None)[declared[0]])
        if declared[0] in lists:
            values = [[known[number] for number in row] for row in values]
        return inputs, {declared[0]: values}, known
    others = [name for name in split.column_names if name not in names and name != "inputs"]
    chosen = _present(split, "targets") or others
    if not chosen:
        raise InputError(f"The split has the columns {', '.join(split.column_names)}. {EXPECTED}")
    return inputs, {name: list(split.with_format(None)[name]) for name in chosen}, None


def _element(feature: Any) -> Any:
    """What a column of lists has lists of; None for any other."""
    return getattr(feature, "feature", None)


def _inputs(split: Any, names: Sequence[str]) -> list[Any]:
    if not names:
        raise InputError(f"The split has the columns {', '.join(split.column_names)}. {EXPECTED}")
    if names[0] in _names(split):
        return _cells(split, names[0], is_input=True)
    return list(split.with_format("numpy")[names[0]])


def _cells(split: Any, column: str, *, is_input: bool) -> list[Cell]:
    import datasets

    rows = split.select_columns([column]).cast_column(column, datasets.Image(decode=False)).with_format(None)
    return [Cell(rows, column, row, is_input=is_input) for row in range(len(split))]


def _names(split: Any) -> list[str]:
    """The columns of images."""
    import datasets

    if not hasattr(split, "__len__"):
        raise InputError("The split is streamed. Expected one that is on this machine: load it with streaming=False.")
    return _columns(split, datasets.Image)


def _columns(split: Any, kind: type) -> list[str]:
    return [name for name, feature in split.features.items() if isinstance(feature, kind)]


def _present(split: Any, name: str) -> list[str]:
    return [name] if name in split.column_names else []
