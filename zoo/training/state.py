"""The progress of a run, on disk: everything that decides how it continues, in one file that is whole or not there."""

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import filelock
import keras
import numpy as np
import safetensors.numpy
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from safetensors import SafetensorError, safe_open

from zoo.catalogue.training_record import (
    BEST,
    FITTED,
    LAST,
    RUN_FILE,
    STATE,
    RunRecord,
    first_problem,
    read_record,
)
from zoo.errors import InputError, UnreadableError
from zoo.printing import warn
from zoo.whole import made_folder, whole_file, writable

PROBE = -1  # as a best epoch: the head that was fitted before the first one
Count = Annotated[int, Field(ge=0, strict=True)]

_UNREADABLE = {"BF16", "F8_E4M3", "F8_E5M2"}  # by NumPy


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder of a run, alone. Nothing is left of a run that ends before it has kept anything.

    Raises:
        InputError: Another process trains in it.
        AccessError: It cannot be written.
    """
    state, logs = folder / STATE, folder / "logs"
    had_logs = logs.exists()
    with made_folder(state):
        lock = filelock.FileLock(state / "lock")
        with writable(folder):
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                raise InputError(
                    f"Another process trains in {folder}. Expected to be the only one: wait for it, or choose another "
                    "output_dir."
                ) from None
        try:
            yield
        finally:
            if not any((state / name).exists() for name in (LAST, BEST)):
                shutil.rmtree(state, ignore_errors=True)
                if not had_logs and not (folder / "zoo.json").exists():
                    shutil.rmtree(logs, ignore_errors=True)
            lock.release()


def check_same(folder: Path, found: dict[str, Any], wanted: dict[str, Any], command: str = "") -> None:
    """Check that the run in `folder` has the settings that are wanted.

    Args:
        folder: Of the run.
        found: Its settings.
        wanted: The settings of this call.
        command: How an unfinished run was called, where that is known.

    Raises:
        InputError: It is another.
    """
    wanted = json.loads(json.dumps(wanted))
    keys = [key for key in {**found, **wanted} if found.get(key) != wanted.get(key)]
    if "plan" in keys:
        plans = [settings["plan"] if isinstance(settings.get("plan"), dict) else {} for settings in (found, wanted)]
        keys += [f"plan.{key}" for key in {**plans[0], **plans[1]} if plans[0].get(key) != plans[1].get(key)]
        keys.remove("plan")
    if not keys:
        return
    unfinished = f" That run is unfinished; to finish it, run the same command again: {command}" if command else ""
    raise InputError(
        f"{folder} contains another run: {', '.join(keys)} differ. Expected the same arguments and data to resume it; "
        f"otherwise choose another output_dir, or resume=False (--no-resume) to start over.{unfinished}"
    )


def is_by_steps(folder: Path) -> bool:
    """Whether a folder has a run of an earlier version, whose new head was trained by steps."""
    settings: Any = {}
    with contextlib.suppress(
        UnreadableError, ValueError, KeyError, TypeError
    ):  # what is damaged is an error where it is read
        if (folder / RUN_FILE).is_file():
            settings = read_record(folder / RUN_FILE, RunRecord).settings
        elif (folder / STATE / LAST).is_file():
            with _opened(folder / STATE / LAST) as file:
                settings = json.loads(file.metadata()["state"])["settings"]
    plan = settings.get("plan") if isinstance(settings, dict) else None
    return isinstance(plan, dict) and "probe" not in plan


class Progress(BaseModel):
    """What stands beside the weights: after how many epochs, with which history, and what was the best."""

    model_config = ConfigDict(extra="ignore")

    settings: dict[str, Any]
    command: str = ""
    epoch: Annotated[int, Field(ge=1, strict=True)]
    waited: Count
    best: Annotated[list[Annotated[float, Field(allow_inf_nan=False, strict=True)]], Field(min_length=1, max_length=2)]
    best_epoch: Annotated[int, Field(ge=PROBE, strict=True)]
    probe: dict[str, float] = {}
    callbacks: list[dict[str, Any]] = []
    stopped: Annotated[bool, Field(strict=True)]
    history: dict[str, list[float]]

    @field_validator("best", mode="before")
    @classmethod
    def _as_list(cls, best: Any) -> Any:
        return [best] if isinstance(best, float) else best  # earlier versions ranked by the loss alone

    @model_validator(mode="after")
    def _agrees(self) -> "Progress":
        if self.best_epoch >= self.epoch or any(len(values) != self.epoch for values in self.history.values()):
            raise ValueError(f"the history does not have {self.epoch} epochs")
        return self


class State:
    """After how many epochs, with which history, and with which weights and optimizer.

    `best` ranks what is kept, the lower the better: a metric that is to rise, negated, where the task has one, then the
    loss. `probe` has what the head scored that was fitted before the first epoch. `share` is how much of the way from
    there to the weights of the last epoch the best ones have, where they lie between the two; `refitted` to how many
    examples the head was fitted in the end, where it alone was kept.

    Args:
        folder: The folder of the files. What is there is resumed, if it has the same `settings`.
        settings: All that decides the outcome, as `json.dumps` takes it.
        command: How the run was called, for messages.

    Raises:
        InputError: The folder contains another run.
        UnreadableError: What is there is damaged: nothing starts over unless that is asked for.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], command: str = ""):
        self.folder, self.settings, self.command = folder, settings, command
        self.epoch, self.waited, self.best, self.best_epoch = 0, 0, list[float](), 0
        self.probe: dict[str, float] = {}
        self.callbacks: list[dict[str, Any]] = []
        self.share: float | None = None
        self.refitted: int | None = None
        self.stopped = False
        self.history: dict[str, list[float]] = {}
        if (folder / LAST).exists():
            self._read()
        elif (folder / BEST).exists():
            self._check_begun()

    def _read(self) -> None:
        with _opened(self.folder / LAST) as file:
            metadata = file.metadata() or {}
        try:
            progress = Progress.model_validate_json(metadata.get("state", ""))
        except ValidationError as error:
            raise _damaged(self.folder / LAST, first_problem(error)) from error
        check_same(self.folder.parent, progress.settings, self.settings, progress.command)
        vars(self).update(progress.model_dump(exclude={"settings", "command"}))
        with _opened(self.folder / BEST):
            pass

    def _check_begun(self) -> None:
        """The best weights alone: a run that was killed while its first epoch was saved starts again, with a
        warning."""
        with _opened(self.folder / BEST) as file:
            metadata = file.metadata() or {}
        if metadata.get("epoch", "1") not in ("0", "1"):
            raise _damaged(self.folder / LAST, "the file is missing")
        warn(f"{self.folder.parent}: the run was interrupted before its first epoch was saved; it starts again")

    def record_probe(
        self, logs: dict[str, float], probe: dict[str, float], monitor: str | None, lead: float = 0.0
    ) -> None:
        """Take the fitted head for the first candidate.

        Args:
            logs: What Keras would log after an epoch of it: `val_loss`, ...
            probe: What it scores.
            monitor: See `rank`.
            lead: By how much of the monitored metric another candidate has to be better, at least.
        """
        self.best, self.best_epoch, self.probe = rank(logs, monitor), PROBE, probe
        if lead:
            self.best = [self.best[0] - lead, 0.0]

    def record_between(self, logs: dict[str, float], share: float, monitor: str | None) -> bool:
        """Take weights between those of the fitted head and the last epoch for a candidate; whether it is the best."""
        ranked = rank(logs, monitor)
        if not ranked < self.best:
            return False
        self.best, self.best_epoch, self.share = ranked, self.epoch - 1, share
        return True

    @property
    def kept(self) -> str:
        """Which weights are the best, in words."""
        if self.best_epoch == PROBE:
            again = f", fitted again to all {self.refitted} examples" if self.refitted else ""
            return f"the fitted head alone{again}"
        return f"epoch {self.best_epoch + 1}" if self.share is None else f"{self.share:g} of the way to the last epoch"

    def record(self, logs: dict[str, float], monitor: str | None) -> bool:
        """Add an epoch to the history; whether it is the best so far."""
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))
        self.epoch += 1
        ranked = rank(logs, monitor)
        is_better = not self.best or ranked < self.best
        if is_better:
            self.best, self.best_epoch, self.waited = ranked, self.epoch - 1, 0
        else:
            self.waited += 1
        return is_better

    def write_probe(self, model: keras.Model) -> None:
        """Keep the weights of the fitted head as the best, and to go back to.

        Raises:
            AccessError: The disk refuses.
        """
        self.write_best(model)
        _replace(self.folder / FITTED, _tensors("model", model.variables), {})

    def fitted(self, model: keras.Model) -> list[np.ndarray]:
        """The values that the variables of the model had with the fitted head.

        Raises:
            UnreadableError: The file is damaged.
        """
        _check(model.variables, "model", self.folder / FITTED)
        with _opened(self.folder / FITTED) as file:
            return [file.get_tensor(f"model/{index}") for index in range(len(model.variables))]

    def write_best(self, model: keras.Model) -> None:
        """Keep the weights of the best candidate so far.

        Raises:
            AccessError: The disk refuses; what was kept before is still there.
        """
        with writable(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        _replace(self.folder / BEST, _tensors("model", model.variables), {"epoch": str(self.epoch)})

    def write(self, model: keras.Model, *, is_best: bool) -> None:
        """Keep the model and its optimizer. The best weights first: a run killed in between writes the same again.

        Raises:
            AccessError: The disk refuses; what was kept before is still there.
        """
        if is_best:
            self.write_best(model)
        facts = {key: value for key, value in vars(self).items() if key not in ("folder", "share", "refitted")}
        tensors = _tensors("model", model.variables) | _tensors("optimizer", model.optimizer.variables)
        _replace(self.folder / LAST, tensors, {"state": json.dumps(facts)})

    def restore(self, model: keras.Model) -> None:
        """Give the model the weights of the last epoch; check that those of the best one fit, too.

        Raises:
            UnreadableError: A file is damaged.
        """
        _check(model.variables, "model", self.folder / BEST)
        _assign(model.variables, "model", self.folder / LAST)

    def restore_optimizer(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Give a built optimizer what it had after the last epoch."""
        _assign(optimizer.variables, "optimizer", self.folder / LAST)

    def best_values(self, model: keras.Model) -> dict[str, np.ndarray]:
        """The variables of the best epoch, by their paths in the model that was trained, which stays as it is.

        On several hosts nothing may be assigned to it by one of them alone.
        """
        path = self.folder / BEST
        _check(model.variables, "model", path)
        with _opened(path) as file:
            return {one.path: file.get_tensor(f"model/{index}") for index, one in enumerate(model.variables)}


def rank(logs: dict[str, float], monitor: str | None) -> list[float]:
    """What epochs are compared by, the lower the better, on the validation data where there are any.

    Args:
        logs: Of an epoch.
        monitor: A metric that comes before the loss, the higher the better.
    """
    prefix = "val_" if "val_loss" in logs else ""
    first = [-float(logs[prefix + monitor])] if monitor and prefix + monitor in logs else []
    return [*first, float(logs[f"{prefix}loss"])]


def _tensors(prefix: str, variables: Sequence[Any]) -> dict[str, np.ndarray]:
    values = (keras.ops.convert_to_numpy(variable) for variable in variables)
    return {f"{prefix}/{index}": np.asarray(value, order="C") for index, value in enumerate(values)}


def _assign(variables: Sequence[Any], prefix: str, path: Path) -> None:
    _check(variables, prefix, path)
    with _opened(path) as file:
        for index, variable in enumerate(variables):
            variable.assign(file.get_tensor(f"{prefix}/{index}"))


def _check(variables: Sequence[Any], prefix: str, path: Path) -> None:
    """Check that a file contains a tensor per variable, of its shape, before any is assigned.

    Raises:
        UnreadableError: It contains others.
    """
    with _opened(path) as file:
        found = {name for name in file.keys() if name.startswith(f"{prefix}/")}  # noqa: SIM118 (it is not a dict)
        wanted = [f"{prefix}/{index}" for index in range(len(variables))]
        if found != set(wanted):
            raise _damaged(path, f"it contains {len(found)} tensors of the {prefix} instead of {len(wanted)}")
        for name, variable in zip(wanted, variables, strict=True):
            part = file.get_slice(name)
            if tuple(part.get_shape()) != tuple(variable.shape) or part.get_dtype() in _UNREADABLE:
                raise _damaged(path, f"{name} is {part.get_dtype()} {part.get_shape()}, not {tuple(variable.shape)}")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, why: str) -> UnreadableError:
    return UnreadableError(
        f"{path} cannot be read ({why}). Expected the state of the run as zoo.finetune left it: restore it from a "
        "copy, or start the run over with resume=False (--no-resume)."
    )


def _replace(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    with whole_file(path) as place:
        try:
            safetensors.numpy.save_file(tensors, place, metadata)
        except SafetensorError as error:  # what the disk refuses, in its own words
            raise OSError(str(error)) from error
