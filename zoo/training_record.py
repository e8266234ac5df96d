"""What a training tells of itself: `run.json` beside the model that it saved."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from zoo.errors import InputError


class TrainingRecord(BaseModel):
    """The keys of `run.json` that a card tells; others may stand beside them.

    `data` says in words what was trained on, and `command` how to do it again. `metrics` are figures of the validation
    data, with the unit in the name (`top1_percent`); `history` has a list of figures for each epoch.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    data: str = ""
    command: str = ""
    metrics: dict[str, float] = {}
    history: dict[str, list[float]] = {}

    @property
    def epochs(self) -> int:
        """How many epochs were trained."""
        return max(map(len, self.history.values()), default=0)


def training_record(folder: str | os.PathLike[str]) -> TrainingRecord:
    """Read the `run.json` of a folder; an empty record where there is none.

    Raises:
        InputError: It cannot be read as one.
    """
    path = Path(folder) / "run.json"
    if not path.is_file():
        return TrainingRecord()
    try:
        return TrainingRecord.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{path}: {where}: {first['msg']}. Expected the record of a training; remove the file."
        ) from error
