"""Architectures, one family a file. A builder turns a tensor into tensors; `build` makes the model around it."""

import importlib

from zoo.errors import RegistryError
from zoo.model import ZooModel, make_room_for_deep_graphs
from zoo.registry import Entry
from zoo.tasks import find_task


def build(entry: Entry, *, input_shape: tuple[int | None, ...] | None = None) -> ZooModel:
    """Build the model of an entry, with random weights: the task's input layers, then the family's builder.

    Pictures are normalised in the model. A network for pictures with holes is built from two tensors, image and mask.

    Args:
        entry: What to build.
        input_shape: `(height, width, 3)`, or `(depth, height, width, 1)`; a side may be None, and by default all are.

    Raises:
        RegistryError: The entry names no builder.
    """
    inputs, tensors = find_task(entry.task).inputs(entry, input_shape)
    head = {} if entry.num_classes is None else {"num_classes": entry.num_classes}
    if entry.features:
        head["features"] = True
    make_room_for_deep_graphs()
    model = ZooModel(inputs, _builder(entry)(*tensors, **entry.config, **head), name=entry.architecture)
    model.spec = entry
    return model


def _builder(entry: Entry):
    module_name, function_name = entry.builder.split(".")
    try:
        module = importlib.import_module(f"zoo.architectures.{module_name}")
        function = getattr(module, function_name)
    except (ImportError, AttributeError) as error:
        raise RegistryError(
            f"{entry.name} wants the builder {entry.builder!r}, which this version does not have. "
            "Expected module.function below zoo.architectures; a newer layerzoo may have it."
        ) from error
    if getattr(function, "__module__", None) != module.__name__:
        raise RegistryError(f"{entry.name} wants the builder {entry.builder!r}. Expected a function of that module.")
    return function
