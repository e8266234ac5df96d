"""Keeps TensorFlow's messages at start-up from the user's terminal."""

import contextlib
import os
from collections.abc import Iterator

from zoo.backend import check_backend


@contextlib.contextmanager
def written_to(target: int, *, instead_of: int) -> Iterator[None]:
    """Send what is written to one file descriptor to another, by libraries that are not written in Python too."""
    kept = os.dup(instead_of)
    os.dup2(target, instead_of)
    try:
        yield
    finally:
        os.dup2(kept, instead_of)
        os.close(kept)


def import_keras_quietly() -> None:
    """Import Keras and its backend, for command lines: what TensorFlow logs is off.

    What it writes before its log is set up ignores every log level, so the import itself is kept from stderr.
    An import that fails raises as ever; a missing backend is an error of this library.
    """
    check_backend()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with open(os.devnull, "w") as nothing, written_to(nothing.fileno(), instead_of=2):
        import keras  # noqa: F401
