"""The record of a training: `run.json` beside the model that it saved. No TensorFlow here.

Until a run is whole it has no `run.json`, and a folder `state` from which the same command resumes.
"""

import json
import math
import os
from os.path import isfile
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from zoo.errors import InputError, UnreadableError

RUN_FILE = "run.json"
STATE, LAST, BEST, FITTED = "state", "last.safetensors", "best.safetensors", "fitted.safetensors"
LARGEST_BYTES = 64 << 20  # of a record; one epoch takes about a hundred bytes

_Record = TypeVar("_Record", bound=BaseModel)


class TrainingRecord(BaseModel):
    """The keys of `run.json` that a card shows; there may be others.

    `data` describes the training data, and `command` how it was called. `metrics` were measured on the
    validation data, with the unit in the name (`top1_percent`); `history` has a list of numbers, one per epoch. `poor`
    says why the model is no better than guessing, where it is not.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    data: str = ""
    command: str = ""
    metrics: dict[str, int | float] = {}
    history: dict[str, list[float]] = {}
    poor: str = ""

    @property
    def epochs(self) -> int:
        """How many epochs were trained."""
        return max(map(len, self.history.values()), default=0)

    @property
    def results(self) -> dict[str, float]:
        """The metrics that are numbers, without that of the examples that they were measured on."""
        return {name: value for name, value in self.metrics.items() if name != "count" and math.isfinite(value)}


class RunRecord(TrainingRecord):
    """All of a `run.json` that `zoo.finetune` wrote, so that the same call returns the run that is there."""

    by_class: dict[str, dict[str, float]]
    settings: dict[str, Any]


def training_record(folder: str | os.PathLike[str] | None) -> TrainingRecord:
    """Read the `run.json` of a folder; an empty record where there is none.

    Raises:
        UnreadableError: It cannot be read as one.
    """
    if folder is None or not (Path(folder) / RUN_FILE).is_file():
        return TrainingRecord()
    return read_record(Path(folder) / RUN_FILE, TrainingRecord)


def read_record(path: Path, kind: type[_Record]) -> _Record:
    """Read a record from its JSON file.

    Raises:
        UnreadableError: The file is damaged, or of another kind.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise UnreadableError(f"{path} has {path.stat().st_size:,} bytes. {_EXPECTED}")
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise UnreadableError(f"{path}: {first_problem(error)}. {_EXPECTED}") from error
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read ({error.strerror or error}). {_EXPECTED}") from error


_EXPECTED = (
    "Expected the record of a training as zoo.finetune wrote it. Restore it from a copy, or remove the file; "
    "resume=False (--no-resume) begins the run anew."
)


def first_problem(error: ValidationError) -> str:
    """What is wrong first, with the key where it stands."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]


def check_finished(folder: Path) -> None:
    """Check that no run is on its way in a folder, whose model would be half of one.

    Raises:
        InputError: It is unfinished; names the command that finishes it.
    """
    state = folder / STATE
    # os.path answers for names that no file system takes, where Path raises
    if isfile(folder / RUN_FILE) or not (isfile(state / LAST) or isfile(state / BEST)):
        return
    command = _command(state / LAST)
    again = f"run the same command again: {command}" if command else "run the same command again"
    raise InputError(f"{folder} contains a run of zoo.finetune that is unfinished. To finish it, {again}")


def _command(path: Path) -> str:
    """How the run was called; empty where nobody knows."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return str(json.loads((file.metadata() or {})["state"])["command"])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError):
        return ""
