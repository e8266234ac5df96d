"""TensorFlow's remarks at start-up, kept from a person who asked for something else."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def _no_stderr() -> Iterator[None]:
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def import_keras_quietly() -> None:
    """Import Keras and its backend, for command lines: what TensorFlow logs is off.

    What it writes before its log is set up ignores every log level, so the import itself is kept from stderr.
    An import that fails raises as ever.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _no_stderr():
        import keras  # noqa: F401
