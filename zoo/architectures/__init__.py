"""Architectures, one family per file. A builder turns a tensor into tensors; `build` makes the model around it.

Nothing here reads files or weights, or knows names of checkpoints: sizes are data of the registry.
"""

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import keras

from zoo.architectures.decoders import decoded
from zoo.catalogue.decoder_names import DETECTORS, EVENLY_HALVED
from zoo.catalogue.entry import Entry
from zoo.catalogue.registry import not_registered, registry
from zoo.errors import InputError, RegistryError
from zoo.layers import CropLike, PadToMultiple2D
from zoo.model import ZooModel, allow_deep_graphs
from zoo.tasks import find_task
from zoo.weights.keras_state import abstract

QUANTITIES = "quantities"  # the last layer of a regression that was trained on data with units


def build(entry: Entry, *, input_shape: tuple[int | None, ...] | None = None) -> ZooModel:
    """Build the model of an entry, with random weights: the task's input layers, then the family's builder.

    Images are normalised in the model. A network for images with holes is built from two tensors, image and mask.
    Keras' own settings hold inside only: images are channels last, and under every dtype policy the layers before the
    first weights and from the last ones on compute in float32, so that pixels and logits are not rounded.

    Args:
        entry: What to build.
        input_shape: `(height, width, 3)`, or `(depth, height, width, 1)`; a side may be None, and by default all are.

    Raises:
        RegistryError: The entry names no builder.
    """
    data_format = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    try:
        if keras.config.dtype_policy().name == keras.config.floatx() == "float32":
            return _assembled(entry, input_shape)
        with abstract():
            draft = _assembled(entry, input_shape)
        for layer in _ends(draft):
            layer.dtype_policy = "float32"
        model = ZooModel.from_config(draft.get_config())
        model.spec = entry
        return model
    finally:
        keras.config.set_image_data_format(data_format)


def _assembled(entry: Entry, input_shape: tuple[int | None, ...] | None) -> ZooModel:
    inputs, tensors = find_task(entry.task).inputs(entry, input_shape)
    allow_deep_graphs()
    model = ZooModel(inputs, _in_units(entry, _outputs(entry, tensors)), name=entry.architecture)
    model.spec = entry
    return model


def _outputs(entry: Entry, tensors: tuple[Any, ...]) -> Any:
    head: dict[str, Any] = {} if entry.num_classes is None else {"num_classes": entry.num_classes}
    if not (entry.features or entry.decoder):
        return _builder(entry)(*tensors, **entry.config, **head)
    if entry.features or entry.decoder is None:
        pyramid = _builder(entry)(*tensors, **entry.config, **head, features=True)
        return pyramid if entry.features is True else _chosen(pyramid, entry)
    image, multiple = tensors[0], entry.decoder_config.get("pad_to", 1)
    config = {name: value for name, value in entry.decoder_config.items() if name != "pad_to"}
    if entry.decoder in DETECTORS:  # whose boxes lie in the image: what is beyond it is as grey as its mean
        padded = PadToMultiple2D(max(multiple, EVENLY_HALVED), 0.0, name="decoder-pad")(image)
        pyramid = {**_builder(entry)(padded, **entry.config, **head, features=True), 1: padded}
        return decoded(entry.decoder, image, pyramid, **config, **head)
    padded = PadToMultiple2D(multiple, name="decoder-pad")(image) if multiple > 1 else image
    pyramid = _builder(entry)(padded, **entry.config, **head, features=True)
    logits = decoded(entry.decoder, padded, pyramid, **config, **head)
    return CropLike(offset=0, name="decoder-crop")([logits, image]) if multiple > 1 else logits


def _in_units(entry: Entry, outputs: Any) -> Any:
    """Of a regression the quantities in their units: what the head gives, times the deviations, plus the means."""
    if not entry.quantities or isinstance(outputs, dict):
        return outputs
    mean = [quantity.mean for quantity in entry.quantities]
    variance = [quantity.std**2 for quantity in entry.quantities]
    layer = keras.layers.Normalization(mean=mean, variance=variance, invert=True, dtype="float32", name=QUANTITIES)
    return layer(outputs)


def _chosen(pyramid: dict[int, Any], entry: Entry) -> dict[int, Any]:
    strides = entry.features if isinstance(entry.features, tuple) else ()
    if missing := [stride for stride in strides if stride not in pyramid]:
        raise InputError(
            f"features={strides}, and {entry.name} has no map of stride {missing[0]}. Expected some of "
            f"{', '.join(map(str, pyramid))}."
        )
    return {stride: pyramid[stride] for stride in strides}


def _ends(model: ZooModel) -> Iterator[keras.layers.Layer]:
    """The layers between the input and the first weights, and from the last weights to the outputs."""
    for tensors, following in ((model.outputs, _before), (model.inputs, _after)):
        found, seen = [tensor._keras_history.operation for tensor in tensors], set()
        while found:
            operation = found.pop()
            if id(operation) in seen:
                continue
            seen.add(id(operation))
            has_weights = bool(getattr(operation, "weights", ()))
            if isinstance(operation, keras.layers.Layer) and not (has_weights and following is _after):
                yield operation
            if not has_weights:
                found += following(operation)


def _before(operation: Any) -> list[Any]:
    return [tensor._keras_history.operation for node in operation._inbound_nodes for tensor in node.input_tensors]


def _after(operation: Any) -> list[Any]:
    return [node.operation for node in operation._outbound_nodes]


def _builder(entry: Entry) -> Any:
    module, function_name = builder_module(entry), entry.builder.replace(":", ".").rpartition(".")[2]
    try:
        function = getattr(module, function_name)
    except AttributeError as error:
        raise _missing(entry, error) from error
    if getattr(function, "__module__", None) != module.__name__:
        raise RegistryError(f"{entry.name} needs the builder {entry.builder!r}. Expected a function of that module.")
    return function


def builder_module(entry: Entry) -> ModuleType:
    """The module with the builder of an entry, imported: one of ours, or of a package that is registered here.

    Raises:
        RegistryError: This version has no such module, or no registry names it: then nothing is imported.
    """
    if ":" in entry.builder and not registry().knows(entry.builder):
        raise not_registered(entry.name, entry.builder)
    name = entry.builder.partition(":")[0]
    if name == entry.builder:
        name = f"zoo.architectures.{name.partition('.')[0]}"
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise _missing(entry, error) from error


def _missing(entry: Entry, error: Exception) -> RegistryError:
    if ":" in entry.builder:
        return RegistryError(
            f"{entry.name} needs the builder {entry.builder!r}, which cannot be imported ({error}). Expected "
            "package.module:function; correct the package, or install it again."
        )
    return RegistryError(
        f"{entry.name} needs the builder {entry.builder!r}, which this version does not have. "
        "Expected module.function below zoo.architectures; a newer layerzoo may have it."
    )
