"""Sources that are arrays of numbers, or `.npy` files of them."""

import os
from typing import Any

import numpy as np

from zoo.errors import InputError


def read_array(source: Any, what: str) -> np.ndarray:
    """The array itself, or the one in an `.npy` file; `what` it is meant to be stands in the sentence.

    Raises:
        InputError: The file cannot be read.
    """
    if not isinstance(source, str | os.PathLike):
        return np.asarray(source)
    try:
        return np.load(source, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        # NumPy's own words for another kind of file advise to unpickle it.
        reason = (
            error.strerror if isinstance(error, OSError) and error.strerror else "it holds no whole array of numbers"
        )
        raise InputError(
            f"{os.fspath(source)} cannot be read as a {what} ({reason}). Expected an .npy file from numpy.save."
        ) from error
