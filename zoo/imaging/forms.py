"""Every form that an input has in a Python program, reduced to a few.

Paths, encoded bytes, open files, Pillow's images, arrays, tensors of TensorFlow, JAX and PyTorch, numbers in lists, and
any collection of these. Bytes are always what a file contains, never its path: a server that passes on what a visitor
sent must not open what the visitor names.
"""

import contextlib
import numbers
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from zoo.errors import InputError, ZooError
from zoo.imaging.files import Content, File

LONGEST_PATH = 4096  # bytes
LARGEST_CONTENT = 1 << 29  # bytes of an open file, which may never end

IsSeveral = Callable[[tuple[int, ...]], bool]
Plain = File | Image.Image | np.ndarray | Mapping[str, Any]


def plain(source: Any) -> Plain:
    """Bring one source to a path, the content of a file, a Pillow image, an array, or a mapping.

    Args:
        source: A path; bytes of a file; an open binary file, read from its start; a Pillow image; an array or a tensor,
            wherever it is; numbers in lists or tuples; or a mapping. Hugging Face's `{"bytes": ..., "path": ...}` is
            what it contains.

    Raises:
        InputError: It is of another type.
    """
    if isinstance(source, Content | Image.Image):
        return source
    if isinstance(source, str | os.PathLike):
        return os.path.expanduser(os.fsdecode(source))
    if _is_bytes(source):
        return _content(bytes(source))
    if isinstance(source, Mapping):
        if "bytes" in source and set(source) <= {"bytes", "path"}:
            return plain(source["path"] if source["bytes"] is None else source["bytes"])
        return source
    if callable(getattr(source, "read", None)):
        return _content(_read(source))
    if callable(getattr(source, "read_bytes", None)):  # a path within an archive or a package
        return _content(source.read_bytes())
    array = as_array(source)
    if array.ndim == 0 and array.dtype.kind in "SUO" and isinstance(array.item(), bytes | str):
        return plain(array.item())  # a tensor of strings: what tf.io.read_file gives, a path as bytes excepted
    if array.dtype.kind == "O":
        raise _unknown(source)
    return array


def several(inputs: Any, is_several: IsSeveral) -> Iterator[Any]:
    """One source after another, of one or of any number.

    Args:
        inputs: A source as `plain` takes it; an array or tensor whose shape `is_several`, as many sources as its first
            axis is long; a mapping of such arrays; or a list, tuple, iterator, `tf.data.Dataset` or the like
            of all these. Of a dataset's pairs the inputs are taken.
        is_several: Whether an array of this shape is several sources, a task's.

    Raises:
        InputError: Something in it is of another type.
    """
    if _is_dataset(inputs):
        for element in inputs:
            element = element[0] if isinstance(element, tuple | list) else element
            if isinstance(element, Mapping):
                element = {name: value for name, value in element.items() if name in ("image", "mask")}
            yield from several(element, is_several)
        return
    if isinstance(inputs, Mapping):
        yield from _rows_of_mapping(inputs, is_several)
        return
    is_collection = isinstance(inputs, Iterable) and not _is_one(inputs)
    array = _numbers(inputs) if is_collection else None
    if array is not None and array.dtype.kind not in "SUO":
        yield from array if is_several(array.shape) else [array]
    elif array is not None:  # strings, or objects such as rows of different lengths
        yield from map(plain, array.tolist() if array.ndim else [array.item()])
    elif is_collection:
        yield from _elements(iter(inputs), is_several)
    else:
        yield plain(inputs)


def as_array(source: Any) -> np.ndarray:
    """An array of what holds numbers: tensors of all backends on any device, and lists.

    Raises:
        InputError: It contains none.
    """
    if isinstance(source, list | tuple) and not isinstance(_leaf(source), int | float):
        with contextlib.suppress(ValueError, TypeError):
            return np.stack([as_array(item) for item in source])
    if callable(getattr(source, "detach", None)):  # PyTorch
        source = source.detach().cpu()
        source = source.float() if source.dtype.is_floating_point else source
    try:
        array = np.asarray(source)
    except ZooError:  # of an array that reads a file only now
        raise
    except Exception as error:  # whatever a tensor raises that has no value, or is deleted
        raise _unknown(source) from error
    return array.astype(np.float32) if array.dtype.kind == "V" and not array.dtype.names else array  # bfloat16, float8


def _is_one(inputs: Any) -> bool:
    is_file = callable(getattr(inputs, "read", None)) or callable(getattr(inputs, "read_bytes", None))
    return is_file or _is_bytes(inputs) or isinstance(inputs, str | os.PathLike | Image.Image)


def _is_bytes(source: Any) -> bool:
    is_view_of_bytes = isinstance(source, memoryview) and source.ndim == 1 and source.itemsize == 1
    return is_view_of_bytes or isinstance(source, bytes | bytearray)


def _is_dataset(inputs: Any) -> bool:
    """tf.data, and PyTorch's DataLoader."""
    return hasattr(inputs, "element_spec") or (hasattr(inputs, "dataset") and hasattr(inputs, "batch_size"))


def _numbers(inputs: Any) -> np.ndarray | None:
    """An array where the collection is one, or contains nothing but numbers."""
    if isinstance(inputs, Iterator):
        return None
    if isinstance(inputs, Sequence) and not isinstance(inputs, memoryview) and not hasattr(inputs, "__array__"):
        if not _is_number(_leaf(inputs)):
            return None
        try:
            return as_array(list(inputs) if not isinstance(inputs, range) else inputs)
        except (InputError, ValueError):
            return None  # rows of different lengths: several
    if hasattr(inputs, "__array__") or isinstance(inputs, memoryview) or callable(getattr(inputs, "detach", None)):
        return as_array(inputs)
    return None


def _leaf(inputs: Any) -> Any:
    while isinstance(inputs, list | tuple | range) and len(inputs):
        inputs = inputs[0]
    return inputs


def _is_number(leaf: Any) -> bool:
    if getattr(leaf, "shape", None) == ():
        return as_array(leaf).dtype.kind in "biufc"
    return isinstance(leaf, numbers.Number)


def _elements(inputs: Iterator[Any], is_several: IsSeveral) -> Iterator[Any]:
    for position, item in enumerate(inputs):
        if position == 0 and _is_number(item):  # an iterator of numbers is one source
            yield as_array([item, *inputs])
            return
        if isinstance(item, list | tuple) and not _is_number(_leaf(item)):
            raise InputError(
                f"Input {position} is a {type(item).__name__} within a list. Expected a list of inputs: flatten it, "
                "and leave out labels."
            )
        is_batch = _is_batch(item, is_several) or isinstance(item, Mapping)
        yield from several(item, is_several) if is_batch else [plain(item)]


def _is_batch(item: Any, is_several: IsSeveral) -> bool:
    shape = getattr(item, "shape", None)
    return shape is not None and is_several(tuple(shape))


def _rows_of_mapping(inputs: Mapping[str, Any], is_several: IsSeveral) -> Iterator[Any]:
    """A mapping of arrays with a batch axis is a mapping per row."""
    if not _is_batch(inputs.get("image"), is_several):
        yield plain(inputs)
        return
    arrays = {name: as_array(value) for name, value in inputs.items()}
    lengths = {name: len(array) if array.ndim else 0 for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"The arrays of a mapping have the lengths {lengths}. Expected one length.")
    for row in zip(*arrays.values(), strict=True):
        yield dict(zip(arrays, row, strict=True))


def _content(content: bytes) -> Content:
    # Not whether there is such a file: that is nothing to tell a visitor.
    if 0 < len(content) <= LONGEST_PATH and content.decode(errors="replace").isprintable() and b"." in content:
        raise InputError(
            f"{content[:100]!r} is not what a file of an image contains. Expected that; a path goes as str: "
            "os.fsdecode(path)."
        )
    return Content(content)


def _read(source: Any) -> bytes:
    with contextlib.suppress(AttributeError, OSError, ValueError):  # a socket has no start to go back to
        source.seek(0)
    parts, size = [], 0
    for part in iter(lambda: source.read(1 << 20), b""):
        if not isinstance(part, bytes):
            raise InputError("A file was opened as text. Expected open(path, 'rb').")
        parts.append(part)
        size += len(part)
        if size > LARGEST_CONTENT:
            raise InputError(
                f"An open file contains more than {LARGEST_CONTENT:,} bytes. Expected less; pass its path."
            )
    return b"".join(parts)


def _unknown(source: Any) -> InputError:
    return InputError(
        f"An input is a {type(source).__name__}. Expected a path, the bytes of a file, an open file, a Pillow image, "
        "an array or tensor, or a list of these."
    )
