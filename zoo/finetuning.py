"""Fine-tuning: a pretrained model taught your own data, in a folder that can be gone on with, loaded and published."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zoo.errors import InputError
from zoo.handles import path_of
from zoo.loading import load_folder, ready
from zoo.model import ZooModel
from zoo.registry import Measured
from zoo.saving import save
from zoo.training import hosts
from zoo.training.plan import Freeze
from zoo.training.preparation import Preparation, prepare
from zoo.training.running import finish, train_model
from zoo.training.state import State, check_same

RUN_FILE = "run.json"


@dataclass(frozen=True)
class Run:
    """What came of it. It stands for its folder wherever a path does: `zoo.publish(run, ...)`.

    Attributes:
        model: The taught model, with the weights of its best epoch, in float32.
        history: Losses and measures, a value an epoch: `loss`, `val_loss`, ...
        metrics: What it scores on the validation data, numbers by name and dicts by class; see `zoo.evaluate`.
        folder: Holds the saved model, `run.json`, `history.png`, a picture of the results, and `logs` for TensorBoard.
    """

    model: ZooModel
    history: dict[str, list[float]]
    metrics: dict[str, Any]
    folder: Path

    def __fspath__(self) -> str:
        return os.fspath(self.folder)


def finetune(
    model_or_handle: ZooModel | str | os.PathLike[str],
    train: Any,
    *,
    validation: Any = None,
    epochs: int = 10,
    freeze: Freeze = "none",
    learning_rate: float | Literal["auto"] = "auto",
    batch_size: int | Literal["auto"] = "auto",
    augment: bool = True,
    mixed_precision: bool | Literal["auto"] = "auto",
    output: str | os.PathLike[str] | None = None,
    resume: bool = True,
    skip_unreadable: bool = False,
    seed: int = 0,
) -> Run:
    """Teach a model your own data.

    A classifier gets a new head where the classes are others. The head learns first and alone, in a quarter of the
    epochs; then the other layers too, at a tenth of the rate. The rate rises for a twentieth of the steps and falls
    as a cosine. Frozen layers keep the statistics of their batch normalisation. Rarer classes count more, those of
    pixels by the square root of what would make them equal.

    Killed at any moment and called again with the same arguments it goes on after the last whole epoch, and, on one CPU
    with the same versions, ends with the same weights, bit by bit, as if it had never been killed.

    Called in the scope of a `tf.distribute.MirroredStrategy` it shares each batch among the devices of the strategy.
    On JAX it does so among the devices of a `keras.distribution.DataParallel`, of several hosts too: each calls
    `keras.distribution.initialize`, sets the distribution and makes the same call, as `zoo finetune --hosts` does. The
    losses are those of one device. All hosts see the same data and one `output`, which the first of them writes.

    Args:
        model_or_handle: A model from `zoo.load`, which stays as it is, or a handle for one.
        train: What to learn from: a folder, a tuple of inputs and truths, a split of Hugging Face's `datasets`, or a
            `tf.data.Dataset` of batches.
            A folder holds, by task, `CLASS/NAME.jpg` for `image-classification`; `train/NAME.jpg` with masks
            `train/NAME.png` beside them for `semantic-segmentation`; see `zoo.training.lessons`. Where it has the
            folders `train` and `val`, these are used. A split has a column of pictures and one of classes, a second
            one of pictures (masks, depths), or `inputs` and `targets`. A `tf.data.Dataset` is gone through as it is, in
            its own order, and fits the model's own head; `batch_size` and `augment` do not count for it.
        validation: What to measure on, in the same forms. By default the folder's `val`, or a fifth that is held out.
        epochs: How often all of it is seen, at most: a third of them without a better one ends the run.
        freeze: `"none"`; `"backbone"`: only the head learns; or how many layers with weights, from the input on, stay
            as they are.
        learning_rate: The peak. By default 0.001 for random weights, as in a new head, and 0.0001 for trained ones.
        batch_size: Examples a step. By default up to 32, as many as a guess at the memory allows.
        augment: Whether each epoch sees other crops, mirrored by chance.
        mixed_precision: Whether to compute in bfloat16. By default where there is a GPU and the outputs are scores.
        output: The folder of the run. By default `runs/NAME`, with the model's name.
        resume: False to begin anew in a folder that holds a run.
        skip_unreadable: Whether files that cannot be read are left out, and named in a warning of the logger `zoo`. By
            default they are an error.
        seed: Of the new head, the shuffling and the crops. Keras is seeded, as by `keras.utils.set_random_seed`.

    Returns:
        The run: the weights of the epoch with the lowest validation loss.

    Raises:
        InputError: The data or the arguments make no sense, the loss is no number, or `output` holds another run.
            Data are checked before anything is trained: empty classes, one class only, pictures that cannot be read,
            masks with values that are no class, sizes that do not match.
        As `zoo.load`, for a handle.
    """
    prepared = prepare(
        ready(model_or_handle),
        train,
        validation=validation,
        epochs=epochs,
        freeze=freeze,
        learning_rate=learning_rate,
        batch_size=batch_size,
        augment=augment,
        mixed_precision=mixed_precision,
        skip_unreadable=skip_unreadable,
        seed=seed,
    )
    folder = path_of(output) if output is not None else Path("runs") / prepared.model.spec.name.replace("/", "-")
    hosts.check_agreement(prepared.settings, "data or arguments")
    if hosts.is_first():
        _make_room(folder, resume)
    hosts.wait("room is made")
    if not (folder / RUN_FILE).is_file():
        state = State(folder / "state", prepared.settings)
        hosts.check_agreement(state.epoch, "states of the run")
        train_model(prepared, state, folder / "logs")
        if hosts.is_first():
            with hosts.alone():
                run = _kept(prepared, state, folder)
        hosts.wait("the run is written")
        if hosts.is_first():
            return run
    with hosts.alone():
        return _finished(folder, prepared)


def _make_room(folder: Path, resume: bool) -> None:
    """See that the folder is free or a run's, and empty it of the run where that is to begin anew.

    Raises:
        InputError: It holds a model that no run wrote.
    """
    state, run, model = folder / "state", folder / RUN_FILE, folder / "zoo.json"
    if model.is_file() and not (run.is_file() or state.is_dir()):
        raise InputError(f"{folder} holds a model that is no run, and stays as it is. Expected another output.")
    if not resume:
        for file in (model, run):  # the model first: without it nothing stands in the way of the next call
            file.unlink(missing_ok=True)
        for path in (state, folder / "logs"):
            shutil.rmtree(path, ignore_errors=True)


def _kept(prepared: Preparation, state: State, folder: Path) -> Run:
    """Save the model, and last the file that says that the run is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    model, metrics = finish(prepared, state, folder)
    model = _saved(model, metrics, folder)
    record = {
        "data": prepared.data,
        "command": prepared.command,
        "base": prepared.base.model_dump(mode="json", include={"name", "source", "revision", "sha256", "license"}),
        "metrics": {name: value for name, value in metrics.items() if not isinstance(value, dict)},
        "by_class": {name: value for name, value in metrics.items() if isinstance(value, dict)},
        "history": state.history,
        "best_epoch": state.best_epoch,
        "settings": prepared.settings,
    }
    partial = folder / f"partial-{RUN_FILE}"
    partial.write_text(json.dumps(record, indent=2))
    partial.replace(folder / RUN_FILE)
    shutil.rmtree(state.folder, ignore_errors=True)
    return Run(model, state.history, metrics, folder)


def _saved(model: ZooModel, metrics: dict[str, Any], folder: Path) -> ZooModel:
    """Save into a folder that is new, as `zoo.save` wants it, and move the files beside those of the run."""
    partial = folder / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    for path in save(model, partial / folder.resolve().name).iterdir():
        path.replace(folder / path.name)
    shutil.rmtree(partial)
    loaded = load_folder(folder)
    numbers = {name: value for name, value in metrics.items() if not isinstance(value, dict) and name != "count"}
    if numbers:
        where = f"{metrics['count']} validation examples of what it was fine-tuned on"
        measured = Measured(dataset=where, source="zoo finetune")
        loaded.spec = loaded.spec.model_copy(update={"metrics": numbers, "measured": measured})
        (folder / "zoo.json").write_text(loaded.spec.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return loaded


def _finished(folder: Path, prepared: Preparation) -> Run:
    """The run that the folder holds, if it is the one that is asked for."""
    record = json.loads((folder / RUN_FILE).read_text())
    check_same(folder, record["settings"], prepared.settings)
    metrics = {**record["metrics"], **record["by_class"]}
    return Run(load_folder(folder), record["history"], metrics, folder)
