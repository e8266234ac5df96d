"""Everything that is decided and checked before a run begins: the data, the model with its new head, and the plan."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import keras

from zoo import architectures
from zoo.architectures.unaltered import check_trainable
from zoo.backend import bfloat16_is_fast, dtype_policy, on_accelerator
from zoo.catalogue.entry import Adapter, Entry
from zoo.catalogue.handles import path_of
from zoo.catalogue.task_names import ProblemType
from zoo.datasets import hugging_face
from zoo.errors import InputError
from zoo.layers.fused_batch_normalization import fuse_normalization
from zoo.model import ZooModel
from zoo.training import hosts
from zoo.training import plan as plans
from zoo.training.batches import EVALUATED, Batches
from zoo.training.drop_path import with_drop_path
from zoo.training.examples import Examples, class_weights
from zoo.training.given_batches import check_batches, check_kinds
from zoo.training.label_data import trained_task
from zoo.training.linear_head import Kind
from zoo.training.lora import enable_lora, pinned_base
from zoo.training.mixing import Mixing, soft_cross_entropy, soft_options
from zoo.training.plan import Phase, Plan
from zoo.training.probe import linear_layer
from zoo.training.recipe import Recipe, recorded
from zoo.training.same_files import say_shared
from zoo.training.trainer import TaskTrainer, is_dataset, is_folder
from zoo.training.trainers import find_trainer
from zoo.weights.filling import abstract, digest


@dataclass(frozen=True)
class Preparation:
    """What `fit` is given.

    `base` is the entry of the model that was passed, and `input_shape` its shape, which the trained one gets
    again; `adapter` says what it is an adapter of, where it becomes one. `model` is the copy that learns, and
    `complete` has its layers and the model's own outputs, where the loss is of others. `data` describes what it is
    trained on, `command` how it was called, and `settings` is all that decides the outcome, of `recipe` too.
    `everything` has the training data and those that were held out of them, where a new head is fitted first: kept
    alone, it is fitted to all of them in the end.
    """

    base: Entry
    adapter: Adapter | None
    model: ZooModel
    complete: ZooModel
    input_shape: tuple[int | None, ...]
    trainer: TaskTrainer
    plan: Plan
    training: Any
    validation: Any
    class_weight: dict[int, float] | None
    everything: Batches | None
    loss: Any
    data: str
    command: str
    settings: dict[str, Any]
    recipe: Recipe


def prepare(
    model: ZooModel,
    data: Any,
    recipe: Recipe,
    *,
    validation_data: Any = None,
    problem_type: ProblemType | Literal["auto"] = "auto",
    skip_unreadable: bool = False,
    command: str = "",
    fits_head: bool = True,
) -> Preparation:
    """Decide and check everything; trains nothing and writes nothing.

    Args:
        model: To train.
        data: As `zoo.finetune` takes it, and so the other ones.
        recipe: All options, see `zoo.training.recipe.completed`.
        validation_data: What to evaluate on.
        problem_type: What the head predicts.
        skip_unreadable: Skip unreadable files.
        command: How `zoo.finetune` was called.
        fits_head: False where a new head is trained by steps, as the runs of earlier versions were.
    """
    _check(model)
    data, validation_data = (path_of(one) if is_folder(one) else one for one in (data, validation_data))
    trainer = find_trainer(trained_task(model.spec, data, problem_type, find_trainer(model.spec.task).data))
    trainer.check_model(model.spec)
    _check_applies(trainer, model.spec.task, recipe, data)
    adapter = pinned_base(model, recipe["lora"]) if recipe["lora"] else None
    entry, shape = model.spec.model_copy(update={"adapter": None}), _shape(model)
    train_data, val_data, whole = data, validation_data, None
    check_kinds(data, validation_data)
    if not is_dataset(data):
        found = _examples(trainer, entry, data, validation_data, recipe["seed"], skip_unreadable)
        train_data, val_data, whole = found
        entry = trainer.adapted(entry, train_data)
        shape = trainer.shape(entry, train_data)
        if recipe["image_size"] is not None:
            entry, shape = trainer.resized(entry, shape, sides(recipe["image_size"]))
        trainer.check_size(entry, shape, val_data)
    dtype = _dtype(trainer, recipe["mixed_precision"])
    with abstract():
        reference = architectures.build(model.spec, input_shape=_shape(model))
    check_trainable(model, reference, trainer.loss(model.spec, None))
    keras.utils.set_random_seed(recipe["seed"])
    complete = trainable_copy(model, entry, shape, dtype, recipe["drop_path"], recipe["seed"])
    adapted = enable_lora(complete, recipe["lora"]) if recipe["lora"] else ()
    copy = trainer.trained(complete)
    probe = _probe(trainer, copy) if fits_head else None
    if probe is None or copy.spec.random != "head" or adapted:
        whole = None  # nothing is fitted again
    fed = _fed(trainer, copy, train_data, val_data, whole, recipe, shape, has_probe=probe is not None)
    parts = plans.phases(
        copy,
        freeze=recipe["freeze"],
        epochs=fed.epochs,
        learning_rate=recipe["learning_rate"],
        has_probe=probe is not None,
        batch_size=fed.batch_size,
        is_small=probe is not None and (fed.training_examples or 0) <= plans.SMALL_DATA,
        keeps_normalization=trainer.keeps_normalization,
        adapted=adapted,
    )
    plan = _plan(copy, shape, fed, parts, dtype, probe)
    settings = {
        **recorded(recipe),
        "plan": plan.as_dict(),
        "training_data": _digest(train_data),
        "validation_data": _digest(val_data),
        "weights": _weights_digest(model),
    }
    known = train_data if isinstance(train_data, Examples) else None
    loss = _loss(trainer, copy.spec, known, recipe)
    words = _in_words(data, plan)
    given = model.spec, adapter, copy, complete, _shape(model)
    return Preparation(*given, trainer, plan, *fed[:4], loss, words, command, settings, recipe)


def _loss(trainer: TaskTrainer, entry: Entry, examples: Examples | None, recipe: Recipe) -> Any:
    """The task's own loss, that of a name, the given one, or the one that takes shares of the classes."""
    if examples is not None and recipe["class_weight"] is None:
        examples = replace(examples, pixels=None)
    if isinstance(recipe["loss"], str):
        return trainer.named_loss(recipe["loss"], entry, examples)
    if recipe["loss"] is not None:
        return recipe["loss"]
    return soft_cross_entropy(recipe["label_smoothing"]) if soft_options(recipe) else trainer.loss(entry, examples)


class _Fed(NamedTuple):
    """What `fit` reads, and how much of it there is; None where nobody knows."""

    training: Any
    validation: Any
    class_weight: dict[int, float] | None = None
    everything: Batches | None = None
    epochs: int = plans.EPOCHS
    passes: int = 1
    training_examples: int | None = None
    validation_examples: int | None = None
    batch_size: int | None = None
    steps: int | None = None


def _fed(
    trainer: TaskTrainer,
    copy: ZooModel,
    train_data: Any,
    val_data: Any,
    whole: Examples | None,
    recipe: Recipe,
    shape: tuple[Any, ...],
    *,
    has_probe: bool,
) -> _Fed:
    epochs, passes = recipe["epochs"], 1
    if not isinstance(train_data, Examples):
        for batches, name in ((train_data, "training data"), (val_data, "validation data")):
            if batches is not None:
                check_batches(batches, name, copy, trainer)
        steps = int(train_data.cardinality())
        epochs = plans.EPOCHS if epochs == "auto" else epochs
        if recipe["steps"] is not None and steps > 0:
            epochs = -(-recipe["steps"] // steps)
        return _Fed(train_data, val_data, epochs=epochs, steps=steps if steps > 0 else None)
    count = len(train_data.items)
    wanted, devices = recipe["batch_size"], hosts.devices()
    size = wanted if isinstance(wanted, int) else 0
    if not size:
        automatic = plans.automatic_batch_size(copy, count, has_probe=has_probe, largest=trainer.largest_batch)
        size = max(devices, automatic // devices * devices)
    if size % devices:
        raise InputError(f"batch_size={size} cannot be shared by {devices} devices. Expected a multiple of {devices}.")
    if recipe["steps"] is not None:
        epochs = -(-recipe["steps"] // max(1, count // size))
    elif epochs == "auto":
        epochs, passes = plans.automatic_epochs(count, size, has_probe=has_probe, least_steps=trainer.least_steps)
    # Keras wants every batch in equal shares; training data come in whole batches anyway.
    val_data = val_data.part(range(len(val_data.items) // devices * devices))
    views: dict[str, Any] = {"seed": recipe["seed"], "augment": recipe["augment"], "passes": passes}
    if trainer.images_alone:
        views["mixing"] = Mixing(recipe, copy.spec.num_classes or 0)
    training = Batches(trainer, copy.spec, train_data, shape, size, **views)
    most = size if recipe["batch_size"] != "auto" else max(size, EVALUATED // devices * devices)
    held = Batches(trainer, copy.spec, val_data, shape, most) if val_data.items else None
    is_weighted = recipe["class_weight"] is not None and train_data.classes is not None
    weight = class_weights(train_data.classes or ()) if is_weighted else None
    everything = Batches(trainer, copy.spec, whole, shape, size, **views) if whole is not None else None
    return _Fed(training, held, weight, everything, epochs, passes, count, len(val_data.items), size, len(training))


def _probe(trainer: TaskTrainer, copy: ZooModel) -> Kind | None:
    """Which kind of head is fitted first, or is already, if any. Several hosts, each of which sees a share, learn a new
    one by steps."""
    can_fit = copy.spec.random != "all" and hosts.share()[1] == 1 and linear_layer(copy) is not None
    return trainer.linear_head if can_fit else None


def _plan(
    copy: ZooModel, shape: tuple[int | None, ...], fed: _Fed, parts: tuple[Phase, ...], dtype: str, probe: Kind | None
) -> Plan:
    epochs = parts[-1].last
    return Plan(
        model=copy.spec.name,
        task=copy.spec.task,
        classes=copy.spec.labels if isinstance(copy.spec.labels, tuple) else None,
        training_examples=fed.training_examples,
        validation_examples=fed.validation_examples,
        input_shape=shape,
        epochs=epochs,
        batch_size=fed.batch_size,
        passes_per_epoch=fed.passes,
        steps_per_epoch=fed.steps,
        probe=probe,
        phases=parts,
        patience=plans.patience(epochs),
        parameters=copy.count_params(),
        dtype=dtype,
        memory_bytes=plans.memory_bytes(copy, parts, fed.batch_size or 1),
    )


def trainable_copy(
    model: ZooModel,
    entry: Entry,
    input_shape: tuple[int | None, ...],
    dtype: str,
    drop_path: float = 0.0,
    seed: int = 0,
) -> ZooModel:
    """A copy of `model` as `entry` has it, every variable filled but those of a new head.

    Raises:
        InputError: The model is not the one that its entry describes.
    """
    with dtype_policy(dtype):
        copy = architectures.build(entry, input_shape=input_shape)
    if drop_path:
        copy = with_drop_path(copy, drop_path, seed)
    fuse_normalization(copy)
    base = model.spec
    has_new_head = (base.num_classes, base.task) != (entry.num_classes, entry.task) or (
        base.random == "none" and entry.random == "head"
    )
    known = {weight.path: weight for weight in model.weights}
    for weight in copy.weights:
        if has_new_head and entry.in_head(weight.path.split("/")[0]):
            continue
        source = known.get(weight.path)
        if source is None or source.shape != weight.shape:
            raise InputError(
                f"The model has no weights {weight.path} {tuple(weight.shape)}. Expected a model as zoo.load gives it "
                f"for {entry.name}, with its head and unchanged."
            )
        weight.assign(source)
    return copy


def _check(model: Any) -> None:
    if not isinstance(model, ZooModel):
        raise InputError(f"The model is a {type(model).__name__}. Expected one from zoo.load, or a handle.")
    if model.spec.features:
        raise InputError(f"{model.spec.name} was loaded with features=True. Expected a model with its own outputs.")


def _check_applies(trainer: TaskTrainer, task: str, recipe: Recipe, data: Any) -> None:
    """Check that the task has the views and targets that are asked for, batches no others, and epochs or steps."""
    if is_dataset(data) and not trainer.batches:
        raise InputError(f"A tf.data.Dataset does not apply to {task}. Expected {trainer.data}.")
    if recipe["augment"] == "strong" and not trainer.strong:
        raise InputError(f"augment='strong' does not apply to {task}. Expected 'light' or None.")
    for name, value in soft_options(recipe).items():
        if not trainer.classes:
            raise InputError(f"{name}={value} does not apply to {task}. Expected 0: it is for single classes.")
        if name != "label_smoothing" and is_dataset(data):
            raise InputError(f"{name}={value} does not apply to a tf.data.Dataset. Expected 0, or mixed batches.")
    if not (recipe["augment"] is None or isinstance(recipe["augment"], str) or trainer.images_alone):
        raise InputError(f"augment={recipe['augment']!r:.100} does not apply to {task}. Expected 'light' or None.")
    if recipe["image_size"] is not None and is_dataset(data):
        raise InputError(f"image_size={recipe['image_size']} does not apply to a tf.data.Dataset. Expected None.")
    if recipe["lora"] and recipe["freeze"] not in ("auto", "none"):
        raise InputError(
            f"lora={recipe['lora']} and freeze={recipe['freeze']!r}. Expected one of the two: with LoRA all weights "
            "below the head stay as they are."
        )
    if recipe["steps"] is not None and recipe["epochs"] != "auto":
        raise InputError(f"epochs={recipe['epochs']} and steps={recipe['steps']}. Expected one of the two.")


def sides(image_size: int | Sequence[int]) -> tuple[int, int]:
    """Height and width."""
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    return int(height), int(width)


def _examples(
    trainer: TaskTrainer, entry: Entry, data: Any, validation_data: Any, seed: int, skip_unreadable: bool
) -> tuple[Examples, Examples, Examples | None]:
    """Training and validation examples, and both together where the latter are held out of what was passed."""
    train_data = trainer.find(data, "train", entry, None, skip_unreadable=skip_unreadable)
    if validation_data is None and trainer.has_split(data, "val"):
        validation_data = data
    if validation_data is not None:
        val_data = trainer.find(validation_data, "val", entry, train_data.labels, skip_unreadable=skip_unreadable)
        say_shared(train_data.items, val_data.items)
        return train_data, val_data, None
    return *trainer.hold_out(train_data, entry, seed), train_data


def _dtype(trainer: TaskTrainer, mixed_precision: bool | Literal["auto"]) -> str:
    if mixed_precision == "auto":
        mixed_precision = trainer.bfloat16 and on_accelerator() and bfloat16_is_fast()
    return "mixed_bfloat16" if mixed_precision else "float32"


def _in_words(data: Any, plan: Plan) -> str:
    """What the model was trained on, for the card."""
    if is_folder(data):
        name = Path(data).name
    else:
        name = hugging_face.title(data) if hugging_face.is_split(data) else "data in memory"
    if plan.training_examples is None:
        return name
    return f"{name}: {plan.training_examples} training examples, {plan.validation_examples} validation examples"


def _shape(model: ZooModel) -> tuple[int | None, ...]:
    """The input of a model without the batch axis; of its image, where there is a mask too."""
    given = model.input
    return tuple((given["image"] if isinstance(given, dict) else given).shape[1:])


def _digest(data: Any) -> str | None:
    if isinstance(data, Examples):
        return data.digest()
    return None if data is None else f"{data.element_spec}, {int(data.cardinality())} batches"


def _weights_digest(model: ZooModel) -> str | None:
    """Of the weights that are not random: those are others each time the same command is given."""
    if model.spec.random == "all":
        return None
    random = set() if model.spec.random == "none" else {path.split("/")[0] for path in model.spec.initial_weights}
    return digest(one for one in model.weights if one.path.split("/")[0] not in random)
