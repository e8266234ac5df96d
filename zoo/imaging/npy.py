"""What an `.npy` file says of its array, read without Python's parser.

NumPy gives the header to the parser, which in Python 3.11 fails now and then where two threads parse at once
(https://github.com/python/cpython/issues/106905): files are read in threads, while TensorFlow parses code.
"""

import re
from typing import IO, Literal

import numpy as np

NPY = np.lib.format.MAGIC_PREFIX
_LENGTH_BYTES = {b"\1\0": 2, b"\2\0": 4, b"\3\0": 4}  # of the header's length, by version
_LONGEST = 10_000  # bytes, as NumPy
_DTYPE, _IS_FORTRAN, _SHAPE = (
    re.compile(rb"['\"]%s['\"]\s*:\s*%s" % pattern)
    for pattern in (
        (b"descr", rb"['\"]([^'\"]+)['\"]"),
        (b"fortran_order", rb"(True|False)"),
        (b"shape", rb"\(([\d\s,]*)\)"),
    )
)


def read_header(opened: IO[bytes]) -> tuple[tuple[int, ...], np.dtype, Literal["C", "F"]]:
    """Shape, dtype and order of the array; its values follow in the file.

    Raises:
        ValueError: It is not such a file, of a version that NumPy does not write, or not of numbers or text.
    """
    if opened.read(len(NPY)) != NPY:
        raise ValueError("it is not an .npy file")
    version = opened.read(2)
    if version not in _LENGTH_BYTES:
        raise ValueError(f"it has the version {'.'.join(map(str, version))}")
    length = int.from_bytes(opened.read(_LENGTH_BYTES[version]), "little")
    if length > _LONGEST:
        raise ValueError(f"its header claims {length:,} bytes, more than {_LONGEST:,}")
    header = opened.read(length)
    dtype, is_fortran, shape = _DTYPE.search(header), _IS_FORTRAN.search(header), _SHAPE.search(header)
    if not (dtype and is_fortran and shape) or (kind := np.dtype(dtype[1].decode("ascii"))).hasobject:
        raise ValueError("it does not contain an array of numbers")
    return tuple(map(int, re.findall(rb"\d+", shape[1]))), kind, "F" if is_fortran[1] == b"True" else "C"
