"""The arguments of `zoo.finetune`, looked at before anything is loaded or written: what makes no sense is named."""

import os
from numbers import Real
from pathlib import Path
from typing import Any

from zoo.catalogue.handles import path_of
from zoo.catalogue.task_names import PROBLEM_TYPES
from zoo.errors import InputError


def check_arguments(
    *,
    validation_data: Any,
    problem_type: Any = "auto",
    skip_unreadable: Any,
    output_dir: Any = None,
    resume: Any = True,
) -> None:
    """Check that each is of its kind; those of the recipe are checked where it is completed.

    Raises:
        InputError: One is not; names it.
    """
    if isinstance(validation_data, Real):
        expected = "data to evaluate on, or None: a fifth of the training data is held out"
        raise _wrong("validation_data", validation_data, expected)
    if problem_type not in ("auto", *PROBLEM_TYPES):
        raise _wrong("problem_type", problem_type, f"'auto', {', '.join(map(repr, PROBLEM_TYPES))}")
    for name, value in (("skip_unreadable", skip_unreadable), ("resume", resume)):
        if not isinstance(value, bool):
            raise _wrong(name, value, "True or False")
    if output_dir is not None and (not isinstance(output_dir, str | os.PathLike) or not os.fspath(output_dir)):
        raise _wrong("output_dir", output_dir, "the path of a folder, or None for runs/NAME")


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


def _wrong(name: str, value: Any, expected: str) -> InputError:
    return InputError(f"{name}={value!r}. Expected {expected}.")
