"""A `tf.data.Dataset` as data: its first batch is checked before training starts."""

from typing import Any

import keras
import numpy as np

from zoo.errors import InputError
from zoo.model import ZooModel
from zoo.training.trainer import TaskTrainer, is_dataset

CLASSES = ("image-classification", "semantic-segmentation")  # their targets are numbers of classes
NUMBERS = ("image-regression", "multi-label-classification")  # an output each
_SHAPE = "Expected batches (inputs, targets), as dataset.batch(n) makes them of pairs."


def check_kinds(train: Any, validation: Any) -> None:
    """Check that both are batches, or none is.

    Raises:
        InputError: One is.
    """
    if validation is not None and is_dataset(train) != is_dataset(validation):
        names = ("the training data", "validation") if is_dataset(train) else ("validation", "the training data")
        raise InputError(
            f"Of {names[0]} there is a tf.data.Dataset, and of {names[1]} there is none. Expected both in one form."
        )


def check_batches(batches: Any, name: str, model: ZooModel, trainer: TaskTrainer) -> None:
    """Check that batches end, and that the model and its loss take the first of them.

    Args:
        batches: A `tf.data.Dataset`.
        name: What a message calls it.
        model: The one that will be trained.
        trainer: Knows the loss.

    Raises:
        InputError: They never end, are none, or do not fit.
    """
    if int(batches.cardinality()) == -1:  # tf.data.INFINITE_CARDINALITY
        raise InputError(f"The {name} never end. Expected a dataset with an end: leave out repeat(), or take(n) of it.")
    spec = batches.element_spec
    if not isinstance(spec, tuple) or len(spec) not in (2, 3):
        raise InputError(f"An element of the {name} is {spec}. {_SHAPE}")
    inputs, targets = _first(batches, name)
    _check_inputs(inputs, name, model)
    if model.spec.task in CLASSES:
        void = -1 if model.spec.task == "semantic-segmentation" else 0
        _check_classes(targets, name, void, model.spec.num_classes or 0)
    if model.spec.task in NUMBERS and targets.shape[1:] != tuple(model.output.shape[1:]):
        raise InputError(
            f"The targets of the {name} have the shape {targets.shape}. Expected (batch, {model.spec.num_classes}), a "
            f"number for each output of {model.spec.name}."
        )
    loss = trainer.loss(model.spec, None)
    try:
        value = float(keras.ops.mean((keras.losses.get(loss) or loss)(targets, model(inputs, training=False))))
    except Exception as error:
        raise InputError(
            f"The targets of the {name} do not fit {model.spec.name} ({error}). Expected what {model.spec.task} is "
            f"trained on: {trainer.data}, in batches."
        ) from error
    if not np.isfinite(value):
        raise InputError(f"The loss of the first batch of the {name} is {value}. Expected finite inputs and targets.")


def _first(batches: Any, name: str) -> tuple[Any, Any]:
    for element in batches.take(1):
        return keras.tree.map_structure(np.asarray, (element[0], element[1]))
    raise InputError(f"The {name} are empty. Expected at least one batch.")


def _check_inputs(inputs: Any, name: str, model: ZooModel) -> None:
    wanted = model.input
    if isinstance(wanted, dict) != isinstance(inputs, dict) or (
        isinstance(wanted, dict) and set(wanted) != set(inputs)
    ):
        keys = f"a dict of {', '.join(wanted)}" if isinstance(wanted, dict) else "one tensor"
        raise InputError(f"The inputs of the {name} are of another structure. Expected {keys}.")
    for found, tensor in zip(keras.tree.flatten(inputs), keras.tree.flatten(wanted), strict=True):
        shape, expected = tuple(found.shape), tuple(tensor.shape)
        fits = len(shape) == len(expected) and all(b in (None, a) for a, b in zip(shape, expected, strict=True))
        if not fits or found.dtype.kind not in "iufb":
            raise InputError(
                f"The inputs of the {name} are {found.dtype} {shape}. Expected {expected}, batch first. {_SHAPE}"
            )


def _check_classes(targets: np.ndarray, name: str, lowest: int, count: int) -> None:
    is_whole = targets.dtype.kind in "iub" or (targets.dtype.kind == "f" and (targets == np.round(targets)).all())
    if not is_whole or targets.size == 0 or targets.min() < lowest or targets.max() >= count:
        ends = f", from {targets.min()} to {targets.max()}" if targets.size else ""
        raise InputError(
            f"The targets of the {name} are {targets.dtype} {targets.shape}{ends}. Expected whole numbers of classes "
            f"from {lowest} to {count - 1}; load the model with num_classes= for more."
        )
