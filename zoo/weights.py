"""Fills a model from a file: every tensor used once, every variable filled once, shapes equal; all else is an error.

The model is built abstract, without values (`abstract()`); `fill` reads each tensor straight into its variable, so that
nothing is initialised only to be overwritten and one tensor at a time is in memory twice.
"""

import fnmatch
import hashlib
from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from safetensors import SafetensorError, safe_open

from zoo.errors import IntegrityError, WeightsMismatchError, ZooError
from zoo.pickled import SUFFIXES, PickledFile

COUNTERS = "*num_batches_tracked"  # PyTorch's counters are not weights
TORCH_NAMES = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


class Slot(NamedTuple):
    """Where a variable's values come from: a tensor's name and how its axes are moved into Keras' order.

    `in_channels` is set for a first convolution whose three input channels become so many.
    """

    tensor: str
    axes: tuple[int, ...] | None = None
    in_channels: int | None = None

    def shape(self, shape: list[int]) -> list[int]:
        """The shape that the variable must have for a tensor of this shape."""
        if self.axes is None or len(self.axes) != len(shape):
            return shape
        moved = [shape[axis] for axis in self.axes]
        if self.in_channels is not None and moved[-2] == 3:
            moved[-2] = self.in_channels
        return moved

    def read(self, file: Any) -> np.ndarray:
        """The tensor as the variable wants it."""
        values = file.get_tensor(self.tensor)
        if self.axes is not None:
            values = values.transpose(self.axes)
        if self.in_channels is None or values.shape[-2] != 3:  # a file for so many channels needs no change
            return values
        if self.in_channels == 1:
            return values.sum(axis=-2, keepdims=True)
        return np.take(values, np.arange(self.in_channels) % 3, axis=-2) * (3 / self.in_channels)


def abstract() -> keras.StatelessScope:
    """A scope in which models are built without values for their variables."""
    return keras.StatelessScope(initialize_variables=False)


def initialize() -> None:
    """Give the variables that were built under `abstract()` their values."""
    with keras.StatelessScope():
        pass


def fill(
    model: keras.Model,
    path: Path,
    *,
    file_format: str,
    unused: Iterable[str] = (),
    optional: Iterable[str] = (),
    new_layers: Iterable[str] = (),
    random_layers: Iterable[str] = (),
    whole: keras.Model | None = None,
) -> set[str]:
    """Fill a model that was built under `abstract()` from the file at `path`.

    Args:
        model: The model; its layers carry the names of the file's format.
        path: Pickled where it ends in `.pt` or `.pth`, else safetensors.
        file_format: A key of `READERS`.
        unused: Patterns of tensors that the architecture knows and does not use.
        optional: Patterns of tensors that may be missing; their variables keep the constants that they start with.
        new_layers: Patterns of layers that keep their random initial values; their tensors in the file are left out.
        random_layers: Patterns of layers that keep random values where the file holds none of their tensors.
        whole: The network that `model` is a part of, abstract as well: its tensors may be left over.

    Returns:
        The names of the layers that keep random values.

    Raises:
        WeightsMismatchError: Tensors are missing, left over, misshapen, or not floating point.
        IntegrityError, MissingExtraError: The file is not whole, or pickled and PyTorch is not installed.
    """
    reader = READERS[file_format]
    try:
        with _open(path, NESTED.get(file_format)) as file:
            names = set(file.keys())
            absent = _absent(model, reader, names, random_layers)
            drawn = absent | {layer.name for layer in model.layers if layer.weights and _any(new_layers, layer.name)}
            slots = _slots(model, reader, names, drawn, optional)
            for layer in new_layers:
                unused = (*unused, f"{layer.replace('-', '.')}.*", f"{layer}/*")
            if whole is not None:
                unused = (*unused, *(slot.tensor for _, slot in _slots(whole, reader, names)))
                _draw_nothing(whole)
            _check(path, file, names, slots, (*unused, COUNTERS))
        tensors = file if isinstance(file, PickledFile) else _Tensors(path)
        for variable, slot in slots:
            variable._initializer = _initializer(tensors, slot)
        initialize()
        return drawn
    except ZooError:
        _draw_nothing(model)
        initialize()
        raise


def digest(weights: Iterable[keras.Variable]) -> str:
    """SHA-256 of their values."""
    total = hashlib.sha256()
    for weight in weights:
        total.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).data)
    return total.hexdigest()


def head_size(path: Path, classifier: str) -> int | None:
    """How many classes the head in the file has, or None where there is no such tensor."""
    with _open(path) as file:
        names = set(file.keys())
        for name in (f"{classifier.replace('-', '.')}.bias", f"{classifier}/bias"):
            if name in names:
                return int(file.get_slice(name).get_shape()[0])
    return None


def read_zoo(layer: keras.Layer, variable: keras.Variable, names: set[str]) -> Slot:
    """Our own format: tensors are called as Keras' variable paths, `feature-conv/kernel`."""
    return Slot(variable.path)


def read_timm(layer: keras.Layer, variable: keras.Variable, names: set[str]) -> Slot:
    """timm's format: the layer's name with dots, PyTorch's variable names and axes.

    A variable that no PyTorch layer has (`blocks.0.gamma`) is a bare parameter of the module that names the layer.
    """
    module, leaf = layer.name.replace("-", "."), variable.path.rsplit("/", 1)[-1]
    name = f"{module}.{TORCH_NAMES.get(leaf, leaf)}"
    if name not in names and f"{module}.{leaf}" in names:
        name = f"{module}.{leaf}"
    rank = len(variable.shape)
    if leaf != "kernel":
        return Slot(name)
    if isinstance(layer, keras.layers.Dense):
        return Slot(name, (1, 0))
    if isinstance(layer, keras.layers.DepthwiseConv1D | keras.layers.DepthwiseConv2D):
        return Slot(name, (*range(2, rank), 0, 1))
    return Slot(name, (*range(2, rank), 1, 0))  # convolution OI…→…IO, transposed convolution IO…→…OI


def read_medicalnet(layer: keras.Layer, variable: keras.Variable, names: set[str]) -> Slot:
    """MedicalNet's format: as PyTorch's, with the prefix that training on several devices gives."""
    slot = read_timm(layer, variable, names)
    return slot._replace(tensor=f"module.{slot.tensor}")


READERS: dict[str, Callable[[keras.Layer, keras.Variable, set[str]], Slot]] = {
    "zoo": read_zoo,
    "timm": read_timm,
    "pytorch": read_timm,  # whatever else calls its tensors as its modules
    "medicalnet": read_medicalnet,
}
NESTED = {"medicalnet": "state_dict"}  # under which key of a pickled dictionary the tensors stand


def _any(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _absent(model: keras.Model, reader: Callable, names: set[str], patterns: Iterable[str]) -> set[str]:
    """The layers called as one of the patterns of which the file holds nothing."""
    return {
        layer.name
        for layer in model.layers
        if layer.weights
        and _any(patterns, layer.name)
        and not any(reader(layer, variable, names).tensor in names for variable in layer.weights)
    }


def _slots(
    model: keras.Model,
    reader: Callable,
    names: set[str],
    new_layers: Container[str] = (),
    optional: Iterable[str] = (),
) -> list[tuple[keras.Variable, Slot]]:
    channels = model.input_shape[-1] if isinstance(model.input_shape, tuple) else 3
    first = next((layer for layer in model.layers if getattr(layer, "kernel", None) is not None), None)
    slots = {}  # by variable: a layer that is used twice is filled once
    for layer in model.layers:
        for variable in layer.weights:
            if layer.name in new_layers or _is_state(variable):
                continue
            slot = reader(layer, variable, names)
            if slot.tensor not in names and _any(optional, slot.tensor):
                continue
            # A first convolution that sees more than the picture, such as coordinates, is left as it is.
            if layer is first and len(variable.shape) > 2 and channels != 3 and variable.shape[-2] == channels:
                slot = slot._replace(in_channels=channels)
            slots[id(variable)] = (variable, slot)
    return list(slots.values())


def _is_state(variable: keras.Variable) -> bool:
    """Seeds of dropout and the like: state of the run, in no file."""
    return "seed_generator" in variable.path


def _open(path: Path, key: str | None = None) -> Any:
    if path.suffix in SUFFIXES:
        return PickledFile(path, key)
    try:
        return safe_open(path, framework="np")
    except (SafetensorError, OSError) as error:
        raise IntegrityError(
            f"{path} is not a whole safetensors file ({error}). Expected one; download or save it again."
        ) from error


def _check(path: Path, file: Any, names: set[str], slots: list[tuple[keras.Variable, Slot]], unused: tuple) -> None:
    wanted = {slot.tensor for _, slot in slots}
    known = {name for name in names if _any(unused, name)}
    problems = [f"missing: {name}" for name in sorted(wanted - names)]
    problems += [f"left over: {name}" for name in sorted(names - wanted - known)]
    for variable, slot in slots:
        if slot.tensor in names:
            tensor = file.get_slice(slot.tensor)
            shape = tensor.get_shape()
            if list(variable.shape) != slot.shape(shape):
                problems.append(f"misshapen: {slot.tensor} is {shape}, {variable.path} wants {list(variable.shape)}")
            elif not tensor.get_dtype().startswith(("F", "BF")):
                problems.append(f"not floating point: {slot.tensor} is {tensor.get_dtype()}")
    if problems:
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise WeightsMismatchError(
            f"{path} does not fit the architecture: {'; '.join(problems[:5])}{more}. Expected each of its {len(names)} "
            f"tensors to fill one of {len(slots)} variables. Check that the file is of this architecture and number of "
            "classes, or pass num_classes= for a new head."
        )


class _Tensors:
    """Reads tensors, and opens the file anew now and then: an open one keeps in memory all that was read from it."""

    LIMIT_BYTES = 16_000_000

    def __init__(self, path: Path):
        self.path = path
        self.file: Any = None
        self.read_bytes = 0

    def get_tensor(self, name: str) -> np.ndarray:
        if self.file is None or self.read_bytes > self.LIMIT_BYTES:
            self.file, self.read_bytes = _open(self.path), 0
        values = self.file.get_tensor(name)
        self.read_bytes += values.nbytes
        return values


def _initializer(tensors: Any, slot: Slot) -> Callable[..., np.ndarray]:
    def initializer(shape, dtype=None):
        return np.ascontiguousarray(slot.read(tensors), dtype=dtype)

    return initializer


def _draw_nothing(model: keras.Model) -> None:
    """Keras would draw random values for the variables of a model that nobody will see; zeros cost least."""
    for variable in model.variables:
        variable._initializer = keras.initializers.Zeros()
