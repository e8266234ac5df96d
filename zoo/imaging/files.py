"""Files of images and of arrays, opened in one place: regular files only, and one error for all that is wrong with one.

What Pillow, NumPy and tifffile raise on a damaged file is anything: IndexError, struct.error, MemoryError. Here it
becomes one `UnreadableError` that names the file. Nothing is allocated before the size that a header claims is checked.
"""

import contextlib
import functools
import io
import logging
import math
import os
import re
import stat
from collections.abc import Iterator

import numpy as np
from PIL import Image, UnidentifiedImageError

from zoo.errors import InputError, UnreadableError, ZooError
from zoo.imaging.npy import read_header

LARGEST_ARRAY = 1 << 27  # values of an .npy file: 512 MiB as float32
# Formats whose files another program would run on: PostScript is a program itself.
FORMATS_LEFT_OUT = ("EPS", "WMF")
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_URL = re.compile(r"[a-z][a-z0-9+.-]+:/|data:", re.IGNORECASE)  # a Path has made one slash of two


class Content(bytes):
    """What a file contains, with the name that errors call it."""

    name = "The content"

    def __new__(cls, content: bytes, name: str = name) -> "Content":
        created = super().__new__(cls, content)
        created.name = name
        return created


File = str | Content  # a path, or what a file contains
Opened = io.BytesIO | io.BufferedReader
EXPECTED = "Expected a whole JPEG, PNG, WebP or the like; open it in a viewer to see whether it is damaged."


@contextlib.contextmanager
def readable(file: File, kind: str = "image", expected: str = EXPECTED) -> Iterator[None]:
    """Turn whatever a library raises on a file, meant to be of a kind, into a readable error.

    Raises:
        InputError: There is no such file.
        UnreadableError: Anything else was raised.
    """
    name = file.name if isinstance(file, Content) else file
    try:
        yield
    except ZooError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"There is no file {name}. Expected the path of {_a(kind)}.") from error
    except Exception as error:
        raise UnreadableError(f"{name} cannot be read as {_a(kind)} ({_reason(error)}). {expected}") from error


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not an image that Pillow knows"
    if isinstance(error, IsADirectoryError):
        return "it is a folder, which zoo.predict_files takes"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{error}" or type(error).__name__


def open_file(file: File) -> Opened:
    """Open a path or a content for reading. Never waits: a pipe or a device is refused.

    Raises:
        InputError: The path is a URL, or neither a regular file nor a link to one.
        OSError: As `open`.
    """
    if isinstance(file, Content):
        return io.BytesIO(file)
    if not os.path.lexists(file):
        if _URL.match(file):
            raise InputError(f"{file[:200]} is a URL. Expected a file on this machine: download it first.")
        file = os.path.expanduser(file)
    opened = io.FileIO(file, opener=lambda path, flags: os.open(path, flags | getattr(os, "O_NONBLOCK", 0)))
    if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        opened.close()
        raise InputError(
            f"{file} is a pipe or a device. Expected a regular file; to predict what a pipe gives, read it and pass "
            "the bytes."
        )
    return io.BufferedReader(opened)


@contextlib.contextmanager
def opened_image(file: File) -> Iterator[Image.Image]:
    """Open an image with Pillow, lazily: its pixels are read in the body, whose errors are the file's.

    Raises:
        InputError: There is no such file, or it is not a regular one.
        UnreadableError: It is damaged, of another kind, or larger than `PIL.Image.MAX_IMAGE_PIXELS`.
    """
    with readable(file), open_file(file) as opened, Image.open(opened, formats=_formats()) as image:
        check_pixels(math.prod(image.size), f"{image.width} x {image.height}")
        yield image


@functools.cache
def _formats() -> list[str]:
    Image.init()
    return [name for name in Image.ID if name not in FORMATS_LEFT_OUT]


def check_pixels(count: int, size: str) -> None:
    """Refuse what would be unpacked into more pixels than Pillow calls safe.

    Raises:
        ValueError: There are more.
    """
    if Image.MAX_IMAGE_PIXELS is not None and count > Image.MAX_IMAGE_PIXELS:
        raise ValueError(
            f"{size} pixels, more than the {Image.MAX_IMAGE_PIXELS:,} of PIL.Image.MAX_IMAGE_PIXELS; raise it for an "
            "image that you trust"
        )


def starts_with(file: File, *heads: bytes) -> bool:
    """Whether the file begins with one of these bytes.

    Raises:
        InputError, UnreadableError: As `opened_image`.
    """
    with readable(file), open_file(file) as opened:
        return opened.read(max(map(len, heads))).startswith(heads)


def read_npy(file: File, kind: str = "array", largest: int = LARGEST_ARRAY) -> np.ndarray:
    """Read an `.npy` file of numbers, after its header was compared with its length.

    Raises:
        InputError: There is no such file, or it is not a regular one.
        UnreadableError: It is damaged, of another kind, contains Python objects, or more than `largest` values.
    """
    with readable(file, kind, "Expected a whole .npy file from numpy.save."), open_file(file) as opened:
        shape, dtype, order = read_header(opened)
        count, start = math.prod(shape), opened.tell()
        if count > largest:
            raise ValueError(f"its header claims {count:,} values, more than {largest:,}")
        if count * dtype.itemsize > opened.seek(0, os.SEEK_END) - start:
            raise ValueError(f"its header claims {count:,} values, and it ends before")
        opened.seek(start)
        content = np.empty(count * dtype.itemsize, np.uint8)
        opened.readinto(content.data)
        return content.view(dtype).reshape(shape, order=order)


def read_tiff(file: File) -> tuple[np.ndarray, int]:
    """Read a TIFF of any number of bands: the array `(height, width, bands)`, and its EXIF orientation, 1 to 8.

    Bands may be interleaved, planes, or pages; of an array `(height, width, bands)` that tifffile wrote without being
    told its layout, which makes each row a page, it is the array.

    Raises:
        InputError: There is no such file, or it is not a regular one.
        UnreadableError: It is damaged, of another kind, or its compression needs the package `imagecodecs`.
    """
    import tifffile

    tifffile.logger().addHandler(logging.NullHandler())  # what it says of a damaged file is said below
    with readable(file), open_file(file) as opened, tifffile.TiffFile(opened) as tiff:
        series = tiff.series[0]
        check_pixels(math.prod(series.shape), " x ".join(map(str, series.shape)))
        if series.ndim not in (2, 3) or not {"Y", "X"} <= set(series.axes):
            raise ValueError(f"its axes are {series.axes}, not height, width and bands")
        array = series.asarray()
        tag = tiff.pages.first.tags.get("Orientation")
        if not (tiff.is_shaped and array.ndim == 3 and array.shape[2] < min(array.shape[:2])):
            array = np.moveaxis(array, [series.axes.index("Y"), series.axes.index("X")], [0, 1])
        return array.reshape(*array.shape[:2], -1), int(tag.value) if tag is not None else 1
