"""Keras callbacks of a run: save the state after each epoch, and show the progress."""

import math
import sys
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from zoo.errors import InputError
from zoo.training.batches import Batches
from zoo.training.state import State


class SaveState(keras.callbacks.Callback):
    """Saves the state after each epoch, and stops after `patience` epochs without improvement."""

    def __init__(self, state: State, patience: int | None, *, writes: bool = True):
        super().__init__()
        self.state, self.patience, self.writes = state, patience, writes

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        monitored = "val_loss" if "val_loss" in logs else "loss"
        if not (math.isfinite(logs["loss"]) and math.isfinite(logs[monitored])):
            raise InputError(
                f"The loss is {logs['loss']} after epoch {epoch + 1}. Expected a finite one: choose a lower "
                "learning_rate, and check that the data contain no NaN."
            )
        is_best = self.state.record(logs, monitored)
        if self.patience is not None and self.state.waited >= self.patience:
            self.state.stopped = self.model.stop_training = True
        if self.writes:
            self.state.write(self.model, is_best=is_best)


class SetEpoch(keras.callbacks.Callback):
    """Sets the epoch of the batches before the first of them is read."""

    def __init__(self, batches: Batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.batches.epoch = epoch


class ShowProgress(keras.callbacks.Callback):
    """A progress bar where stderr is a terminal, else one line per epoch."""

    def __init__(self, epochs: int, done: int):
        super().__init__()
        self.epochs, self.done = epochs, done
        self.console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=self.console, disable=not sys.stderr.isatty(), transient=True)
        self.task = self.bar.add_task("training", total=None)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.bar.start()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.bar.stop()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        steps = self.params.get("steps")
        total = steps and steps * (self.epochs - self.done)
        self.bar.update(self.task, description=f"epoch {epoch + 1}/{self.epochs}", total=total)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.bar.advance(self.task)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        told = ", ".join(f"{name} {value:.4g}" for name, value in (logs or {}).items() if name != "learning_rate")
        self.console.print(f"epoch {epoch + 1}/{self.epochs}: {told}")
