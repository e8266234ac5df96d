"""Fine-tuning: train a pretrained model on your own data, in a folder that can be resumed, loaded and published."""

import contextlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Unpack

from zoo.backend import dtype_policy
from zoo.catalogue.entry import Measured
from zoo.catalogue.task_names import ProblemType
from zoo.catalogue.training_record import BEST, FITTED, LAST, RUN_FILE, STATE, RunRecord, TrainingRecord, read_record
from zoo.errors import InputError
from zoo.export.published_card import published_card
from zoo.loading import load_folder, ready
from zoo.model import ZooModel
from zoo.printing import warn
from zoo.saving import FILES, Snapshot, folder_name, write
from zoo.training import hosts
from zoo.training.arguments import check_arguments, output_folder
from zoo.training.call import written_call
from zoo.training.plan import EPOCHS
from zoo.training.preparation import Preparation, prepare
from zoo.training.recipe import Recipe, changed, completed
from zoo.training.running import finish, train_model
from zoo.training.state import PROBE, State, check_same, held, is_by_steps
from zoo.whole import flush, whole_file, writable


@dataclass(frozen=True)
class Run:
    """The result of `zoo.finetune`. It stands for its folder wherever a path does: `zoo.publish(run, ...)`.

    Attributes:
        model: The fine-tuned model, with the weights of its best epoch, in float32.
        history: Losses and metrics, one value per epoch: `loss`, `val_loss`, ...
        metrics: Metrics on the validation data, numbers by name and dicts per class; see `zoo.evaluate`. Where the head
            was fitted first, `probe` has the metrics of the model with that head.
        folder: Contains the saved model, `run.json`, `history.png`, an image of the results, and `logs` for
            TensorBoard.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import zoo
        >>> images = np.zeros((4, 32, 32, 3), "uint8")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = zoo.finetune("espcn-x2", images, output_dir=folder, epochs=1)
        ...     model = zoo.load(run)
        >>> {name: len(values) for name, values in run.history.items()}
        {'loss': 1, 'psnr_db': 1, 'val_loss': 1, 'val_psnr_db': 1}
    """

    model: ZooModel
    history: dict[str, list[float]]
    metrics: dict[str, Any]
    folder: Path

    def __fspath__(self) -> str:
        return os.fspath(self.folder)


def finetune(
    model: ZooModel | str | os.PathLike[str],
    data: Any,
    *,
    validation_data: Any = None,
    problem_type: ProblemType | Literal["auto"] = "auto",
    recipe: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    output_dir: str | os.PathLike[str] | None = None,
    resume: bool = True,
    skip_unreadable: bool = False,
    callbacks: Sequence[Any] = (),
    metrics: Sequence[Any] = (),
    **options: Unpack[Recipe],
) -> Run:
    """Fine-tune a model on your own data.

    A classifier gets a new head where the classes differ from its own. The head is trained first: logistic regression
    on the features of the other layers, which are computed once, with a penalty chosen by cross-validation. Then all
    layers are trained from there. The epoch with the highest accuracy on the validation data is kept, the lower loss
    deciding between equals; the model with the fitted head is the first candidate, so no run ends below it, and weights
    between that and the last epoch are the last. Where no epoch is better, and the validation data were held out, the
    head is fitted to all examples in the end. A head that fits already is taken as it is. Up to 2,000 examples, the
    first half of the layers and the statistics of batch normalisation stay as they are.

    A head that is not one linear layer, such as that of a label map, is trained by steps, alone for a quarter of
    the epochs; then all layers, at a tenth of the learning rate. The epoch with the lowest validation loss is kept; of
    a detector that with the highest average precision, which needs the extra `layerzoo[detection]`.

    A detector sees each image whole, in a square of `image_size` pixels. A new decoder and its head are trained alone
    for a tenth of the epochs, new class scores of the Hub's YOLOX and SSD300 for a quarter; then all layers, pretrained
    batch normalisation as it is unless `freeze` is "none".

    The rate warms up for a twentieth of the steps and decays as a cosine. Frozen layers keep the statistics of their
    batch normalisation. Rare classes have larger weights in the loss; those of pixels by the square root of what would
    balance them. `class_weight=None` leaves that out.

    Killed at any moment and called again with the same arguments, it resumes after the last complete epoch, and, on one
    CPU with the same versions, ends with the same weights, bit for bit, as if it had never been killed.

    Called in the scope of a `tf.distribute.MirroredStrategy`, it splits each batch among the devices of the strategy.
    On JAX it does so among the devices of a `keras.distribution.DataParallel`, of several hosts too: each calls
    `keras.distribution.initialize`, sets the distribution and makes the same call, as `zoo finetune --hosts` does. The
    losses are those of one device. All hosts see the same data and one `output_dir`, which the first host writes.

    Args:
        model: A model from `zoo.load`, which stays as it is, or a handle for one.
        data: What to train on: a folder, a tuple of inputs and targets, a split of Hugging Face's `datasets`, or
            a `tf.data.Dataset` of batches (but for detectors).
            A folder contains, by task, `CLASS/NAME.jpg` for `image-classification`; `train/NAME.jpg` with masks
            `train/NAME.png` beside them for `semantic-segmentation`; for `object-detection` what
            `zoo.datasets.boxes` lists, of COCO, YOLO and Pascal VOC; see `zoo.training.trainers`. A table
            `labels.csv` beside the images, or its path, has a column `file`, and `label` (`cat`, or `cat;dog`) or
            columns of numbers, such as `age (years)`. Where a folder has the folders `train` and `val`, these are used.
            Of a tuple, targets may have names: a dict of columns. A split has a column of images and one of classes,
            lists of classes or numbers, a second one of images (masks, depths), `objects` with `bbox` and `category`,
            or `inputs` and `targets`. A
            `tf.data.Dataset` is iterated as it is, in its own order, and has to match the model's own head;
            `batch_size` and `augment` do not apply to it.
        validation_data: What to evaluate on, in the same forms. By default the folder's `val`, or a fifth that is held
            out.
        problem_type: What the head of a network for images predicts, in transformers' words:
            `"single_label_classification"`, `"multi_label_classification"` (any number of labels per image) or
            `"regression"` (one quantity or several). By default by the data, see `zoo.training.label_data.inferred`.
        recipe: The options below in a YAML file, one `option: value` per line, or by name; those that
            are passed by name come first. `zoo finetune --dry-run` prints the whole of it.
        output_dir: The folder of the run. By default `runs/NAME`, with the model's name.
        resume: False to start over in a folder that contains a run.
        skip_unreadable: Skip unreadable files and name them in a warning of the logger `zoo`. By default they are an
            error.
        callbacks: Callbacks of Keras, called in each phase; what they remember is resumed, as far as it is numbers and
            words.
        metrics: Metrics of Keras for `history`, beside those of the task.
        epochs: Epochs to train at most; training stops after a third of them without improvement. By default 10; up to
            2,000 examples, after a fitted head, 2 of at least 30 steps, each over the data as often as that takes; of
            detectors 10 of at least 50.
        steps: Steps to train at least, in place of `epochs`; each epoch is finished.
        freeze: `"none"`; `"backbone"` to train the head only; or the number of layers with weights to freeze, counted
            from the input. By default none; up to 2,000 examples, after a fitted head, half of them.
        learning_rate: Peak learning rate. By default 0.001 for random weights, and 0.0001 for pretrained ones; after a
            fitted head 0.00002 up to 2,000 examples, and lower by the square root with batches of fewer than 32.
        batch_size: Examples per step. By default up to 32, of detectors up to 8, or a thirtieth of the examples where
            the head was fitted, limited by an estimate of the memory.
        lora: The rank of an adapter, such as 8: each kernel below the head stays as it is and learns two small factors
            beside it. What is saved is the adapter, a few percent of the base, which has to be a model of the registry
            or the Hub; it is loaded as any other model. At ten times the learning rate.
        gradient_accumulation: Batches whose gradients are averaged for one update, as if they were one batch.
        optimizer: The name of a Keras optimizer, or one; its learning rate is that of `learning_rate`.
        layer_decay: The learning rate of each twelfth of the layers is that of the twelfth after it times this; 0.75
            keeps what the first layers know.
        drop_path: Stochastic depth: the share of the examples for which the last block is left out in training, such
            as 0.1, and linearly fewer before it; of the families with residual blocks in
            `zoo.training.drop_path.FAMILIES`. What is saved is the network without it.
        augment: Views that each epoch shows: `"light"`, random crops, randomly mirrored; `"strong"`, of images with
            labels changed by RandAugment and RandomErasing too, of `semantic-segmentation` and `object-detection` at
            random scales and in other colours; None for the images as they are. For images with labels also a layer of
            Keras, called on batches of light views, pixels from 0 to 255.
        mixup: Of a classification, the strength of MixUp, such as 0.2; 0 for none.
        cutmix: Of a classification, the strength of CutMix, such as 1; with both, each batch has one of the two.
        label_smoothing: Of a classification, the share of each target that is spread over all classes, such as 0.1.
        image_size: What is trained on: pixels per side, or height and width; by default the model's own size, or the
            data's. Trained weights fit any other size that the model takes.
        loss: Of `semantic-segmentation`: `"cross-entropy"` (by default), `"dice"`, `"focal"`, or a sum of them, such as
            `"cross-entropy+dice"`. Of any task a loss of Keras, or a function of a batch of targets and outputs.
        class_weight: `"balanced"` to weight rare classes more in the loss; None to weight all alike, which gains
            overall accuracy, and mean IoU where rare classes are found already, and costs recall of the rare ones.
        weight_decay: What the optimizer takes from the kernels per step, as a fraction of the learning rate; biases and
            normalisation keep theirs.
        ema: Momentum of the exponential moving average of the weights, which is what is evaluated and kept, such as
            0.99 for an average of about a hundred steps; None for the weights themselves.
        mixed_precision: Compute in bfloat16. By default on GPUs and TPUs that are made for it, where the outputs are
            scores. On a processor with `amx_bf16` (`lscpu`) networks of dense convolutions gain too (ResNet-18 half as
            fast again), but those of depthwise ones lose as much.
        seed: Seed of the new head, the shuffling and the crops. Keras is seeded, as by `keras.utils.set_random_seed`.

    Returns:
        The run, with the weights of the best epoch, or of the fitted head alone where no epoch is better.

    Raises:
        InputError: The data or the arguments make no sense, the loss is not a number, or `output_dir` contains another
            run. Data are checked before anything is trained: empty classes, one class only, images that cannot be
            read, masks with values that are not a class, sizes that do not match. The model has more than its spec
            describes, which would be lost: LoRA, other layers, regularisers, frozen layers, another loss. Another
            process trains in `output_dir`.
        UnreadableError: The run in `output_dir` is damaged; it starts over only with `resume=False`.
        AccessError: `output_dir` cannot be written, or the disk is full; what was saved before is still there.
        MissingExtraError: The model is a detector, and the extra `layerzoo[detection]` is not installed.
        As `zoo.load`, for a handle.

    Example:
        >>> import zoo
        >>> run = zoo.finetune("tf_efficientnet_lite0", "my_photos", output_dir="runs/mine")  # doctest: +SKIP
        >>> run.metrics["top1_percent"]  # doctest: +SKIP
        95.0
    """
    check_arguments(
        validation_data=validation_data,
        problem_type=problem_type,
        skip_unreadable=skip_unreadable,
        output_dir=output_dir,
        resume=resume,
    )
    whole = completed(recipe, options)
    given = {"validation_data": validation_data, "problem_type": problem_type, "recipe": recipe, **changed(options)}
    given |= {"output_dir": output_dir, "resume": resume, "skip_unreadable": skip_unreadable}
    return execute(
        model,
        data,
        whole,
        validation_data=validation_data,
        problem_type=problem_type,
        output_dir=output_dir,
        resume=resume,
        skip_unreadable=skip_unreadable,
        callbacks=callbacks,
        metrics=metrics,
        command=written_call(model, data, given),
    )


def gains(metrics: Mapping[str, Any]) -> str:
    """What fine-tuning has added to the fitted head, in words; empty where there was none at first."""
    changes = [
        f"{metrics[name] - value:+.4g} {name} ({value:g} -> {metrics[name]:g})"
        for name, value in metrics.get("probe", {}).items()
        if name != "count" and name in metrics
    ]
    return f"fine-tuning added to the fitted head: {', '.join(changes)}" if changes else ""


def execute(
    model: ZooModel | str | os.PathLike[str],
    data: Any,
    recipe: Recipe,
    *,
    validation_data: Any = None,
    problem_type: ProblemType | Literal["auto"] = "auto",
    output_dir: str | os.PathLike[str] | None = None,
    resume: bool = True,
    skip_unreadable: bool = False,
    callbacks: Sequence[Any] = (),
    metrics: Sequence[Any] = (),
    command: str,
) -> Run:
    """`finetune`, called as `command` says, by a complete `recipe`."""
    options: dict[str, Any] = {"validation_data": validation_data, "problem_type": problem_type}
    options |= {"skip_unreadable": skip_unreadable}
    loaded = ready(model)
    prepared = prepare(loaded, data, recipe, **options, command=command)
    folder = output_folder(output_dir, data, prepared.model.spec.name)
    with writable(folder):
        resumes_steps = resume and is_by_steps(folder)
    if resumes_steps:
        as_earlier = recipe.copy()  # what "auto" was
        as_earlier["epochs"] = EPOCHS if recipe["epochs"] == "auto" else recipe["epochs"]
        as_earlier["freeze"] = "none" if recipe["freeze"] == "auto" else recipe["freeze"]
        prepared = prepare(loaded, data, as_earlier, **options, command=command, fits_head=False)
    hosts.check_agreement(prepared.settings, "data or arguments")
    with writable(folder):
        if hosts.is_primary():
            _check_free(folder)
        is_finished = resume and (folder / RUN_FILE).is_file()
    if is_finished:
        with hosts.single_process():
            return _finished(folder, prepared)
    with held(folder) if hosts.is_primary() else contextlib.nullcontext():
        if hosts.is_primary() and not resume:
            _clear(folder)
        hosts.barrier("the folder is ready")
        state = State(folder / STATE, prepared.settings, command)
        hosts.check_agreement(state.epoch, "states of the run")
        with writable(folder):
            train_model(prepared, state, folder / "logs", callbacks, metrics)
        if hosts.is_primary():
            with hosts.single_process(), writable(folder):
                run = _kept(prepared, state, folder)
        hosts.barrier("the run is written")
    if hosts.is_primary():
        return run
    with hosts.single_process():
        return _finished(folder, prepared)


def _check_free(folder: Path) -> None:
    """Check that the folder is a run's, or contains nothing that a run would overwrite.

    Raises:
        InputError: It contains a model that no run wrote, or other files.
    """
    if (folder / RUN_FILE).is_file() or any((folder / STATE / name).exists() for name in (LAST, BEST)):
        return
    if (folder / "zoo.json").is_file():
        raise InputError(
            f"{folder} contains a model that zoo.finetune did not write, and was left unchanged. Choose another "
            "output_dir."
        )
    others = {path.name for path in (folder / STATE).glob("*")} - {"lock"}
    if taken := [*([STATE] if others else []), *(name for name in FILES if (folder / name).exists())]:
        raise InputError(
            f"{folder} contains {', '.join(taken)}, which zoo.finetune did not write, and was left unchanged. Choose "
            "another output_dir."
        )


def _clear(folder: Path) -> None:
    """Empty the folder of a run that is to start over."""
    for name in ("zoo.json", RUN_FILE):  # the model first: without it nothing stands in the way of the next call
        (folder / name).unlink(missing_ok=True)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    for name in (LAST, BEST, FITTED):
        (folder / STATE / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "logs", ignore_errors=True)


def _kept(prepared: Preparation, state: State, folder: Path) -> Run:
    """Save the model, and last the file that marks the run as complete."""
    model, metrics, poor = finish(prepared, state, folder)
    if poor:
        warn(f"{folder}: the model is no better than guessing: {poor}. Train longer, on more data or other labels.")
    training = TrainingRecord(
        data=prepared.data,
        command=prepared.command,
        metrics={name: value for name, value in metrics.items() if not isinstance(value, dict)},
        history=state.history,
        poor=poor,
    )
    model = _saved(model, training, folder)
    record = {
        **training.model_dump(),
        "base": prepared.base.model_dump(mode="json", include={"name", "source", "revision", "sha256", "license"}),
        "by_class": {name: value for name, value in metrics.items() if isinstance(value, dict)},
        "best_epoch": None if state.best_epoch == PROBE else state.best_epoch,
        "kept": state.kept,
        "settings": prepared.settings,
    }
    with whole_file(folder / RUN_FILE) as place:
        place.write_text(json.dumps(record, indent=2), encoding="utf-8")
    shutil.rmtree(state.folder, ignore_errors=True)
    return Run(model, state.history, metrics, folder)


def _saved(model: ZooModel, training: TrainingRecord, folder: Path) -> ZooModel:
    """Write the model, with the card of this run, and move its files beside those of the run."""
    where = f"{training.metrics.get('count')} validation examples of the fine-tuning data"
    snapshot = Snapshot(model)
    entry = snapshot.described(
        folder_name(folder),
        unchanged=False,
        metrics=training.results,
        measured=Measured(dataset=where, source="zoo.finetune"),
    )
    partial = folder / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        loaded = write(snapshot, partial, entry, str(published_card(entry, training=training)))
        for path in partial.iterdir():
            flush(path)
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return loaded


def _finished(folder: Path, prepared: Preparation) -> Run:
    """The run in the folder, if it has the same settings."""
    record = read_record(folder / RUN_FILE, RunRecord)
    check_same(folder, record.settings, prepared.settings)
    warn(f"{folder} contains this run, finished: nothing is trained again")
    with dtype_policy("float32"):
        model = load_folder(folder)
    return Run(model, record.history, {**record.metrics, **record.by_class}, folder)
