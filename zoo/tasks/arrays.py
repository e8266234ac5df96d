"""Sources that are arrays of numbers, or `.npy` files of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.errors import InputError
from zoo.imaging.files import Content, read_npy
from zoo.imaging.forms import plain


def read_array(source: Any, what: str) -> np.ndarray:
    """The array itself, in any form of `zoo.imaging.forms`, or the one in an `.npy` file; `what` it is meant to be.

    Raises:
        InputError: The file cannot be read, or it is not an array.
    """
    source = plain(source)
    if isinstance(source, Mapping):
        raise InputError(f"A {what} is a mapping with the keys {sorted(map(str, source))}. Expected an array.")
    return read_npy(source, what) if isinstance(source, str | Content) else np.asarray(source)
