"""Architectures, one family a file. A builder turns a tensor into tensors; `build` makes the model around it."""

import importlib

import keras

from zoo.errors import RegistryError
from zoo.model import ZooModel, make_room_for_deep_graphs
from zoo.registry import Entry


def build(entry: Entry, *, input_shape: tuple[int | None, ...] | None = None) -> ZooModel:
    """Build the model of an entry, with random weights: pixels 0 to 255, normalisation, then the family's builder.

    Volumes come in normalised, each by itself (`model.preprocess`); coordinates, (x, y) in pixels, as they are.

    A series comes in its own unit, oldest value first.

    Args:
        entry: What to build.
        input_shape: `(height, width, 3)`, or `(depth, height, width, 1)`; a side may be None, and by default all are.

    Raises:
        RegistryError: The entry names no builder.
    """
    mean, std = entry.input.mean, entry.input.std
    if entry.takes_coordinates:
        x = image = keras.Input((2,), name="coordinates")
    elif entry.task == "volume-features":
        x = image = keras.Input(input_shape or (None, None, None, len(mean)), name="volume")
    elif entry.task == "forecasting":
        x = image = keras.Input((None, 1), name="series")
    else:
        image = keras.Input(input_shape or (None, None, len(mean)), name="image")
        x = keras.layers.Rescaling(
            scale=[1 / (255 * s) for s in std],
            offset=[-m / s for m, s in zip(mean, std, strict=True)],
            name="normalization",
        )(image)
    head = {} if entry.num_classes is None else {"num_classes": entry.num_classes}
    if entry.features:
        head["features"] = True
    make_room_for_deep_graphs()
    model = ZooModel(image, _builder(entry)(x, **entry.config, **head), name=entry.architecture)
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
