"""The rows of a file of predictions: the columns that a task declares, as Arrow's types."""

import io
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from zoo.datasets.depth_maps import UNITS_PER_METRE
from zoo.tasks.task import Columns, Prediction, Task

TYPES = {bytes: pa.binary(), float: pa.float64(), int: pa.int64(), np.float32: pa.float32(), str: pa.string()}


def schema(columns: Columns) -> pa.Schema:
    """The schema of the rows: `input`, `model` and `error`, and what the task declares."""
    every = {"input": str, "model": str, "error": str} | columns
    return pa.schema([(name, _type(kind)) for name, kind in every.items()])


def _type(kind: Any) -> pa.DataType:
    if isinstance(kind, dict):
        return pa.struct([(name, _type(value)) for name, value in kind.items()])
    return pa.list_(_type(kind[0])) if isinstance(kind, list) else TYPES[kind]


def row(record: Prediction, task: Task) -> dict[str, Any]:
    """One predicted input: its record, and the attributes that the task declares as bytes, as PNG files."""
    files = [name for name, kind in (task.columns or {}).items() if kind is bytes]
    return {**record, "error": None} | {name: _png(getattr(record, name)) for name in files}


def _png(pixels: Any) -> bytes:
    """An image; a label map, whose pixels are their numbers; or one of metres, 16 bits as KITTI writes them."""
    if isinstance(pixels, np.ndarray) and pixels.dtype.kind == "f":
        pixels = np.clip(np.round(pixels * UNITS_PER_METRE), 0, 65535).astype(np.uint16)
    image = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def text(name: str) -> str:
    """A name as Arrow takes it: file names may contain bytes that are not UTF-8, which are written `\\udcff`."""
    return name.encode("utf-8", "backslashreplace").decode()
