"""LoRA: a model whose weights stay as they are learns two small factors beside each kernel, and its head.

Hu et al., 2021, https://arxiv.org/abs/2106.09685; Keras' own layers do it (`enable_lora`). Of a convolution the first
factor has the kernel's height, width and inputs, and the second its filters: of 590 thousand numbers, 3x3 from 256 to
256 channels, the factors of rank 8 have 20 thousand.
"""

import math
from collections.abc import Collection, Mapping

import keras
import numpy as np
import safetensors.numpy

from zoo.catalogue.entry import Adapter
from zoo.errors import InputError
from zoo.layers import ScaledStandardizedConv2D, StandardizedConv2D
from zoo.loading import load
from zoo.model import ZooModel
from zoo.weights.adapters import FACTORS

# Layers that compute with `kernel`, which LoRA makes a sum. Those with masks keep theirs, as depthwise ones do.
KINDS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Dense,
    StandardizedConv2D,
    ScaledStandardizedConv2D,
)


def pinned_base(model: ZooModel, rank: int) -> Adapter:
    """What an adapter of this model has to say of its base: where it is, which revision, and the hash of its file.

    The base is loaded again and compared, so that what is trained now is what the adapter will be added to.

    Raises:
        InputError: The model is not one that anybody can load again, or its weights are others by now.
        As `zoo.load`.
    """
    spec = model.spec
    if spec.adapter is not None:
        raise InputError(
            f"lora={rank}, and {spec.name} is an adapter itself. Expected its base, {spec.adapter.base}; or no lora, "
            "to train all weights."
        )
    if spec.random == "all" or spec.source is None:
        raise InputError(
            f"lora={rank} needs a base that can be loaded again, and {spec.name} is in no repository. Expected a model "
            "of the registry or the Hub: publish it first; or no lora, to train all weights."
        )
    handle = spec.source if spec.name == spec.repo_id else spec.name
    base = load(handle, revision=spec.revision if spec.is_on_hub else None)
    known = {weight.path: weight for weight in base.weights}
    for weight in model.weights:
        found = known.get(weight.path)
        if spec.in_backbone(weight.path.split("/")[0]) and not (found is not None and _equal(weight, found)):
            raise InputError(
                f"lora={rank} needs the weights of {handle} as they are, and {weight.path} differs. Expected a model "
                "from zoo.load that was not trained since; or no lora, to train all weights."
            )
    return Adapter(rank=rank, base=handle, revision=base.spec.revision, sha256=base.spec.sha256 or "")


def enable_lora(model: ZooModel, rank: int) -> tuple[str, ...]:
    """Give each kernel below the head its two factors, where they are smaller than the kernel.

    Returns:
        The names of the layers that have them.

    Raises:
        InputError: No layer can have them.
    """
    layers = [layer for layer in model.layers if model.spec.in_backbone(layer.name) and _has_use(layer, rank)]
    if not layers:
        raise InputError(
            f"lora={rank} does not fit {model.spec.name}: it has no convolution or dense layer with a kernel larger "
            "than two factors of this rank. Expected a smaller rank, another model, or None."
        )
    for layer in layers:
        layer.enable_lora(rank)
    return tuple(layer.name for layer in layers)


def learned_variables(layer: keras.layers.Layer) -> list[keras.Variable]:
    """What a layer that is trained learns: its factors where it has some, else all."""
    variables = layer._trainable_variables
    return [one for one in variables if one.name in FACTORS] if getattr(layer, "lora_enabled", False) else variables


def freeze_bases(model: ZooModel) -> None:
    """Leave the kernels and biases of layers with factors as they are; to set `layer.trainable` sets all variables."""
    for layer in model.layers:
        learned = {id(variable) for variable in learned_variables(layer)}
        for variable in layer._trainable_variables:
            variable.trainable = layer.trainable and id(variable) in learned


def adapter_of(model: ZooModel, trained: Collection[str], values: Mapping[str, np.ndarray]) -> bytes:
    """The file of an adapter, see `zoo.weights.adapters`: of a trained model the factors, and its other layers that
    were `trained`, whole; `values` are its variables by path."""
    paths: list[str] = []
    for layer in model.layers:
        if layer.name in trained:
            kept = learned_variables(layer) if getattr(layer, "lora_enabled", False) else layer.weights
            paths += [one.path for one in kept if "seed_generator" not in one.path]
    return safetensors.numpy.save({path: np.ascontiguousarray(values[path], "float32") for path in paths})


def _has_use(layer: keras.layers.Layer, rank: int) -> bool:
    if type(layer) not in KINDS:
        return False
    *inputs, outputs = layer.kernel.shape
    return rank * (math.prod(inputs) + outputs) < math.prod(inputs) * outputs


def _equal(one: keras.Variable, other: keras.Variable) -> bool:
    return np.array_equal(keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other))
