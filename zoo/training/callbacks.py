"""Keras callbacks of a run: save the state after each epoch, and show the progress."""

import contextlib
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from zoo.errors import InputError
from zoo.training.batches import Batches
from zoo.training.state import State


class SaveState(keras.callbacks.Callback):
    """Saves the state after each epoch, and stops after `patience` epochs without improvement.

    `monitor` is the metric by which the best epoch is chosen, see `zoo.training.state.rank`. `epochs` is how many the
    phase ends after, `others` the callbacks that were passed, whose numbers and words are saved too. With `averages`
    the optimizer averages the weights, and the averages are what is kept as the best.
    """

    def __init__(
        self,
        state: State,
        patience: int | None,
        monitor: str | None,
        epochs: int,
        others: Sequence[keras.callbacks.Callback] = (),
        *,
        averages: bool = False,
        writes: bool = True,
    ):
        super().__init__()
        self.others, self.averages = others, averages
        self.state, self.patience, self.monitor, self.epochs, self.writes = state, patience, monitor, epochs, writes

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        for callback, known in zip(self.others, self.state.callbacks, strict=False):
            vars(callback).update(known)  # most start over when training does

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        if not (math.isfinite(logs["loss"]) and math.isfinite(logs.get("val_loss", 0.0))):
            raise InputError(
                f"The loss is {logs['loss']} after epoch {epoch + 1}. Expected a finite one: choose a lower "
                "learning_rate, and check that the data contain no NaN."
            )
        is_best = self.state.record(logs, self.monitor)
        self.state.callbacks = [plain_attributes(callback) for callback in self.others]
        if self.patience is not None and self.state.waited >= self.patience:
            self.model.stop_training = True
        if self.patience is not None and self.model.stop_training:  # one of the others may have stopped it
            self.state.stopped = True
        optimizer = self.model.optimizer
        is_last = self.model.stop_training or epoch + 1 == self.epochs
        if is_last:
            optimizer.finalize_variable_values(self.model.trainable_variables)  # averages, as Keras does after the last
        if self.writes and is_best and self.averages and not is_last:
            with averaged(optimizer, self.model.trainable_variables):
                self.state.write_best(self.model)
            is_best = False
        if self.writes:
            self.state.write(self.model, is_best=is_best)


def plain_attributes(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """What a callback remembers: its public attributes that are numbers, words, or lists of them."""
    plain = (bool, int, float, str, type(None))
    return {
        name: value
        for name, value in vars(callback).items()
        if not name.startswith("_")
        and (isinstance(value, plain) or (isinstance(value, list) and all(isinstance(one, plain) for one in value)))
    }


@contextlib.contextmanager
def averaged(optimizer: keras.optimizers.Optimizer, variables: list[Any]) -> Iterator[None]:
    """Within it, variables have the values of their averages."""
    values = [keras.ops.convert_to_numpy(variable) for variable in variables]
    optimizer.finalize_variable_values(variables)
    try:
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


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
        # soft_wrap: in a log each epoch is one line, however long
        self.console.print(f"epoch {epoch + 1}/{self.epochs}: {_listed(logs or {})}", soft_wrap=True)


def show_probe(logs: dict[str, float]) -> None:
    """Print what the model with its fitted head scores, as an epoch is printed."""
    Console(stderr=True, highlight=False).print(f"with the fitted head: {_listed(logs)}", soft_wrap=True)


def _listed(logs: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in logs.items() if name != "learning_rate")
