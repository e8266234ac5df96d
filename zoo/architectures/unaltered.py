"""Whether a model is still the network that its spec describes: other weights are welcome, other layers are not.

A model is saved, published and fine-tuned as what its spec builds, and its outputs are read as its task says. What a
person has changed beside the weights (LoRA, a layer, a regulariser, frozen layers, another meaning of the outputs)
would be dropped or misread, so it is an error first. What cannot be seen from outside, such as a `call` that was
replaced or a model that a training loop of one's own has given another meaning, is not found.
"""

import re
from collections.abc import Iterator
from typing import Any

import keras

from zoo.errors import InputError
from zoo.model import ZooModel

# Their outputs are read through a softmax or a sigmoid: they have to be logits.
LOGITS = (
    "coordinate-classification",
    "coordinate-rendering",
    "image-classification",
    "multi-label-classification",
    "semantic-segmentation",
)
ONE_CLASS = ("coordinate-classification", "image-classification", "semantic-segmentation")  # through a softmax
# What says how a layer is trained or called, and not what it gives.
_OF_TRAINING = ("trainable", "regularizer", "constraint", "initializer", "momentum")
_ALWAYS_FREE = ("name", "dtype", "seed")


def check_outputs(model: ZooModel) -> None:
    """Check that the outputs still mean what they are read as.

    Raises:
        InputError: They are scores already, or were trained to be several classes at once; or the model does not say
            what it is.
    """
    if not hasattr(model, "spec"):
        raise InputError(
            f"The model {model.name!r} has no spec, which says what it takes and gives. Expected one from zoo.load; of "
            "a model that you made of its tensors, set model.spec to that of the one they are from."
        )
    spec = model.spec
    if spec.features or spec.task not in LOGITS:
        return
    for output in keras.tree.flatten(model.output):
        last = output._keras_history.operation
        activation = getattr(getattr(last, "activation", None), "__name__", type(last).__name__.lower())
        if activation in ("sigmoid", "softmax"):
            raise InputError(
                f"{spec.name} ends in a {activation} (layer {last.name}), so its outputs are not logits. Expected the "
                "network that zoo.load gives, without it: zoo.predict and exports turn logits into scores themselves."
            )
    loss = _loss_name(model)
    if spec.task in ONE_CLASS and "binary" in loss:
        raise InputError(
            f"{spec.name} was compiled with {loss}: its outputs are several classes at once, and {spec.task} reads "
            "them as one class, by a softmax. Expected a model trained with categorical crossentropy from logits, as "
            "zoo.finetune does it; for several classes load it with problem_type='multi_label_classification'."
        )


def check_trainable(model: ZooModel, reference: ZooModel, loss: Any) -> None:
    """Check that nothing of the model would be dropped by training what its spec builds.

    Args:
        model: The model that was passed.
        reference: What its spec builds.
        loss: What it will be trained with.

    Raises:
        InputError: Something would; the message names it.
    """
    frozen = [layer.name for layer in model.layers if layer.weights and not layer.trainable]
    if frozen or not model.trainable:
        named = f"{', '.join(frozen[:3])}{' and more' if len(frozen) > 3 else ''}"
        raise InputError(
            f"{model.spec.name} has frozen layers ({named}), which zoo.finetune does not take over. Expected "
            "freeze='backbone' or a number of layers instead; set model.trainable = True first."
        )
    own = _loss_name(model)
    if own and own.removeprefix("sparse_") != _name(loss).removeprefix("sparse_"):
        raise InputError(
            f"{model.spec.name} was compiled with {own}, which zoo.finetune does not take over: it trains with "
            f"{_name(loss)}. Expected a model as zoo.load gives it; zoo.save it and load it again, or use model.fit."
        )
    if found := difference(model, reference, in_training=True):
        raise InputError(
            f"{model.spec.name} is not the network that its spec describes: {found}. zoo.finetune would drop that. "
            "Expected a model as zoo.load gives it, with other weights only; else use model.fit."
        )


def difference(model: ZooModel, reference: ZooModel, *, in_training: bool) -> str:
    """What the network has that `reference`, which its spec builds, has not, in words; empty where they are alike.

    `in_training` counts what matters in training only: regularisers, constraints, initialisers.
    """
    if own := adapter(model):
        return own
    found, expected = list(_layers(model)), list(_layers(reference))
    if len(found) != len(expected):
        return f"it has {len(found)} layers instead of {len(expected)}"
    for ours, theirs in zip(found, expected, strict=True):
        if other := _difference_of(ours, theirs, in_training):
            return other
    return ""


def adapter(model: ZooModel) -> str:
    """Which variables Keras has put beside those of a layer, in words; empty where it has not."""
    for layer in model.layers:
        if getattr(layer, "lora_enabled", False):
            return f"LoRA is enabled in {layer.name}"
        if getattr(layer, "quantization_mode", None):
            return f"{layer.name} is quantized to {layer.quantization_mode}"
    return ""


def _layers(model: ZooModel) -> Iterator[dict[str, Any]]:
    """The configuration of each layer; which others it reads, by their number."""
    config = model.get_config()
    places = {layer["name"]: place for place, layer in enumerate(config["layers"])}
    for layer in config["layers"]:
        yield {**layer, "reads": list(_read(layer["inbound_nodes"], places))}


def _read(nodes: Any, places: dict[str, int]) -> Iterator[tuple[int, int]]:
    if isinstance(nodes, dict) and "keras_history" in nodes:
        name, _, output = nodes["keras_history"]
        yield places.get(name, -1), output
    elif isinstance(nodes, dict):
        for value in nodes.values():
            yield from _read(value, places)
    elif isinstance(nodes, list | tuple):
        for value in nodes:
            yield from _read(value, places)


def _difference_of(ours: dict[str, Any], theirs: dict[str, Any], in_training: bool) -> str:
    kinds = [layer["class_name"].removeprefix("Fused") for layer in (ours, theirs)]
    names = [re.sub(r"_\d+$", "", layer["name"]) for layer in (ours, theirs)]  # Keras numbers what has no name
    if kinds[0] != kinds[1] or names[0] != names[1]:
        return f"{ours['name']} ({ours['class_name']}) stands where {theirs['name']} ({theirs['class_name']}) belongs"
    if ours["reads"] != theirs["reads"]:
        return f"{ours['name']} reads other layers"
    if ours["class_name"] == "InputLayer":
        return ""
    free = _ALWAYS_FREE if in_training else (*_ALWAYS_FREE, *_OF_TRAINING)
    for key in {**ours["config"], **theirs["config"]}:
        if not any(word in key for word in free) and ours["config"].get(key) != theirs["config"].get(key):
            return f"{ours['name']} has another {key}"
    return ""


def _loss_name(model: ZooModel) -> str:
    """The loss that a model was compiled with; empty without one."""
    return _name(getattr(model, "loss", None)) if model.compiled else ""


def _name(loss: Any) -> str:
    if loss is None:
        return ""
    known = keras.losses.get(loss) if isinstance(loss, str) else loss
    name = getattr(known, "name", None) or getattr(known, "__name__", None) or type(known).__name__
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
