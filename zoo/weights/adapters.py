"""Adapters: a low-rank change of the kernels of another model, whose weights stay as they are, and new layers above it.

A kernel of an adapted model is that of its base plus the product of two factors, `W + A B`: Hu et al., 2021,
https://arxiv.org/abs/2106.09685, equation 3. The file has the factors under Keras' own names, `layer/lora_kernel_a`
`(..., inputs, rank)` and `layer/lora_kernel_b` `(rank, outputs)`, and the layers that were trained as a whole, such as
a new head. A model is loaded with the product added to its kernels, so that it is a network as any other.
"""

import fnmatch
from collections.abc import Collection, Iterable
from pathlib import Path

import keras
import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from zoo.errors import IntegrityError, WeightsMismatchError
from zoo.model import ZooModel

ADAPTER = "adapter.safetensors"
FACTORS = ("lora_kernel_a", "lora_kernel_b")

_FLOATS = ("float16", "float32", "float64")


def read_adapter(path: Path) -> bytes:
    """The file of an adapter.

    Raises:
        IntegrityError: It is not whole.
    """
    content = path.read_bytes()
    _tensors(content, str(path))
    return content


def whole_layers(content: bytes) -> set[str]:
    """The layers that an adapter has whole: those of the head, and others that its base does not have."""
    return {_layer(name) for name in _tensors(content, "the adapter") if not name.endswith(FACTORS)}


def add_adapter(
    model: ZooModel, content: bytes, rank: int, *, leave: Iterable[str] = (), others: Collection[str] = ()
) -> set[str]:
    """Add an adapter to a model that has the weights of its base.

    Args:
        model: The model; its kernels become those of the adapted one.
        content: The file of the adapter.
        rank: Of the factors.
        leave: Patterns of layers that stay as they are: a new head.
        others: Names of layers that the adapter may have, and the model leaves out.

    Returns:
        The layers that it filled whole.

    Raises:
        WeightsMismatchError: It is of another network or rank.
    """
    layers = {layer.name for layer in model.layers}
    left = {*others} - layers
    tensors = {
        name: tensor
        for name, tensor in _tensors(content, "the adapter").items()
        if _layer(name) not in left and not any(fnmatch.fnmatchcase(_layer(name), pattern) for pattern in leave)
    }
    variables = {variable.path: variable for variable in model.weights if "seed_generator" not in variable.path}
    filled = {_layer(name) for name in tensors if not name.endswith(FACTORS)}
    missing = [path for path in variables if _layer(path) in filled and path not in tensors]
    values: dict[str, np.ndarray] = {}
    left_over = []
    for name, tensor in tensors.items():
        place = name.replace(FACTORS[0], "kernel")
        change = tensor if place == name else _product(name, tensors, rank)
        found = variables.get(place)
        if name.endswith(FACTORS[1]) and name.replace(*FACTORS[::-1]) in tensors:
            continue  # the first factor's product has it
        if found is None or change is None or tuple(found.shape) != change.shape:
            left_over.append(name)
        else:
            values[place] = change if place == name else keras.ops.convert_to_numpy(found) + change
    if missing or left_over:
        raise WeightsMismatchError(
            f"The adapter does not fit {model.spec.name}: {', '.join([*left_over, *missing][:5])}. Expected two "
            f"factors of rank {rank} for a kernel, and whole layers; load the adapter as zoo.finetune wrote it.",
            missing=missing,
            left_over=left_over,
        )
    for place, value in values.items():
        variables[place].assign(value)
    return filled


def _layer(path: str) -> str:
    return path.split("/")[0]


def _product(name: str, tensors: dict[str, np.ndarray], rank: int) -> np.ndarray | None:
    """The product of the factor of this name with its second one; None where there is none, or of another rank."""
    first, second = tensors[name], tensors.get(name.replace(*FACTORS))
    fits = second is not None and second.ndim == 2 and first.shape[-1:] == second.shape[:1] == (rank,)
    return first @ second if fits else None


def _tensors(content: bytes, where: str) -> dict[str, np.ndarray]:
    try:
        tensors = safetensors.numpy.load(content)
    except (SafetensorError, KeyError, ValueError) as error:
        raise IntegrityError(
            f"{where} is not a whole safetensors file ({error}). Expected one; download or save it again."
        ) from error
    if other := [name for name, tensor in tensors.items() if str(tensor.dtype) not in _FLOATS]:
        raise IntegrityError(f"{where} has {other[0]} in {tensors[other[0]].dtype}. Expected floating point numbers.")
    return {name: np.asarray(tensor, np.float32) for name, tensor in tensors.items()}
