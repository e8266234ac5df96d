"""The arguments of `zoo.finetune`, looked at before anything is loaded or written: what makes no sense is named."""

import math
import os
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from zoo.catalogue.handles import path_of
from zoo.catalogue.task_names import PROBLEM_TYPES
from zoo.errors import InputError

LARGEST_SEED = 2**32 - 1  # of NumPy's generators


def check_arguments(
    *,
    validation_data: Any,
    problem_type: Any = "auto",
    epochs: Any,
    freeze: Any,
    learning_rate: Any,
    batch_size: Any,
    augment: Any,
    mixed_precision: Any,
    skip_unreadable: Any,
    seed: Any,
    output_dir: Any = None,
    resume: Any = True,
) -> None:
    """Check that each is of its kind and in its range.

    Raises:
        InputError: One is not; names it.
    """
    if isinstance(validation_data, Real):
        expected = "data to evaluate on, or None: a fifth of the training data is held out"
        raise _wrong("validation_data", validation_data, expected)
    if not _is_word(problem_type, "auto", *PROBLEM_TYPES):
        raise _wrong("problem_type", problem_type, f"'auto', {', '.join(map(repr, PROBLEM_TYPES))}")
    if not _is_word(epochs, "auto") and not _is_whole(epochs, 1):
        raise _wrong("epochs", epochs, "'auto' or a whole number of at least 1")
    if not _is_word(batch_size, "auto") and not _is_whole(batch_size, 1):
        raise _wrong("batch_size", batch_size, "'auto' or a whole number of at least 1")
    if not _is_word(learning_rate, "auto") and not _is_rate(learning_rate):
        raise _wrong("learning_rate", learning_rate, "'auto' or a finite number above 0")
    if not _is_word(freeze, "auto", "backbone", "none") and not _is_whole(freeze, 0):
        raise _wrong("freeze", freeze, "'auto', 'backbone', 'none' or a number of layers")
    if not isinstance(mixed_precision, bool) and not _is_word(mixed_precision, "auto"):
        raise _wrong("mixed_precision", mixed_precision, "True, False or 'auto'")
    for name, value in (("augment", augment), ("skip_unreadable", skip_unreadable), ("resume", resume)):
        if not isinstance(value, bool):
            raise _wrong(name, value, "True or False")
    if output_dir is not None and (not isinstance(output_dir, str | os.PathLike) or not os.fspath(output_dir)):
        raise _wrong("output_dir", output_dir, "the path of a folder, or None for runs/NAME")
    if not _is_whole(seed, 0) or seed > LARGEST_SEED:
        raise _wrong("seed", seed, f"a whole number from 0 to {LARGEST_SEED}")


def output_folder(output_dir: Any, data: Any, name: str) -> Path:
    """The folder of the run: `output_dir`, or `runs/NAME`.

    Raises:
        InputError: It lies within the data, which it would become a part of.
    """
    if output_dir is None:
        return Path("runs") / name.replace("/", "-")
    folder = path_of(output_dir)
    if isinstance(data, str | os.PathLike) and folder.resolve().is_relative_to(path_of(data).resolve()):
        raise InputError(f"output_dir={os.fspath(output_dir)!r} lies within the data. Choose a folder outside of it.")
    return folder


def _is_word(value: Any, *words: str) -> bool:
    return isinstance(value, str) and value in words


def _is_rate(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value) and float(value) > 0


def _is_whole(value: Any, smallest: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= smallest


def _wrong(name: str, value: Any, expected: str) -> InputError:
    return InputError(f"{name}={value!r}. Expected {expected}.")
