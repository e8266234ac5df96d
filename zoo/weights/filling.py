"""Fills a model from a file: every tensor used once, every variable filled once, shapes equal; all else is an error.

The model is built abstract, without values (`abstract()`); `fill` reads each tensor straight into its variable, so that
nothing is initialised only to be overwritten and one tensor at a time is in memory twice. What fails or is interrupted
leaves no trace: a model that was not filled is forgotten.
"""

import fnmatch
import hashlib
import re
from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors import SafetensorError, safe_open

from zoo.catalogue import notices
from zoo.errors import AccessError, InputError, IntegrityError, WeightsMismatchError
from zoo.weights.counted_blocks import counted_layout, counted_reader
from zoo.weights.formats import WEIGHT_FORMATS, Slot
from zoo.weights.keras_state import abstract as abstract  # with it models are built for `fill`
from zoo.weights.pickled import PICKLED, PickledFile, wrapper_of

FLOATS = ("F64", "F32", "F16", "BF16")  # as safetensors calls them
FORMATS = f"one .safetensors file or, with the extra layerzoo[torch], one of {', '.join(PICKLED)}"
COUNTERS = "*num_batches_tracked"  # PyTorch's counters are not weights


def fill(
    model: keras.Model,
    path: Path,
    *,
    file_format: str,
    unused: Iterable[str] = (),
    optional: Iterable[str] = (),
    new_layers: Iterable[str] = (),
    random_layers: Iterable[str] = (),
    first_conv: Container[str] = (),
    wholes: Iterable[keras.Model] = (),
) -> set[str]:
    """Fill a model that was built under `abstract()` from the file at `path`.

    Args:
        model: The model; its layers carry the names of the file's format.
        path: Pickled where it ends as one of `zoo.weights.pickled.PICKLED`, else safetensors.
        file_format: A key of `zoo.weights.formats.WEIGHT_FORMATS`.
        unused: Patterns of tensors that the architecture knows and does not use.
        optional: Patterns of tensors that may be missing; their variables keep the constants that they start with.
        new_layers: Patterns of layers that keep their random initial values; their tensors in the file are left out.
        random_layers: Patterns of layers that keep random values where the file has none of their tensors.
        first_conv: The layer whose filters are repeated or summed where the file's are for another number of channels.
        wholes: Networks that `model` is a part of, abstract as well: their tensors may be left over.

    Returns:
        The names of the layers that keep random values.

    Raises:
        WeightsMismatchError: Tensors are missing, left over, misshapen, or not floating point. Nothing is allocated
            then: the file's own list of tensors is compared before any is read.
        IntegrityError, MissingExtraError: The file is not whole, or pickled and PyTorch is not installed.
        InputError, AccessError: The file is of another format, or must not be read.
    """
    reader, nested_in, _ = WEIGHT_FORMATS[file_format]
    with _open(path, nested_in) as file:
        names = set(file.keys())
        if file_format in ("timm", "smp") and (layout := counted_layout(names)):
            reader = counted_reader(model, reader, layout)
        absent = _absent(model, reader, names, random_layers)
        untrained = absent | {layer.name for layer in model.layers if layer.weights and _any(new_layers, layer.name)}
        slots = _slots(model, reader, names, untrained, optional, first_conv)
        for layer in new_layers:
            unused = (*unused, f"{layer.replace('-', '.')}.*", f"{layer}/*")
        unused = (*unused, *_tensors_of(untrained - absent, model, reader, names))
        for whole in wholes:
            unused = (*unused, *(slot.tensor for _, slot in _slots(whole, reader, names)))
        _check(path, file, names, slots, (*unused, COUNTERS))
    tensors = file if isinstance(file, PickledFile) else _Tensors(path, nested_in)
    not_finite: list[str] = []
    for variable, slot in slots:
        variable._initializer = _initializer(tensors, slot, not_finite)
    for variable in model.variables:
        variable._deferred_initialize()  # what Keras calls at the end of a scope, for the variables on its list
    if not_finite:
        notices.warn_of_not_finite(path, not_finite)
    return untrained


def _tensors_of(layers: Container[str], model: keras.Model, reader: Callable, names: set[str]) -> list[str]:
    """The tensors that these layers of the model would read."""
    found = (layer for layer in model.layers if layer.name in layers)
    return [reader(layer, variable, names).tensor for layer in found for variable in layer.weights]


def digest(weights: Iterable[keras.Variable]) -> str:
    """SHA-256 of their values."""
    total = hashlib.sha256()
    for weight in weights:
        values = np.ascontiguousarray(keras.ops.convert_to_numpy(weight))
        total.update(values.reshape(-1).view("uint8").data)  # bfloat16 is not a type of a buffer
    return total.hexdigest()


def head_size(path: Path, classifier: str, file_format: str) -> int | None:
    """How many classes the head in the file has, or None where there is no such tensor."""
    _, nested_in, paths = WEIGHT_FORMATS[file_format]
    with _open(path, nested_in) as file:
        names = set(file.keys())
        modules = paths(classifier.replace("-", "."))
        for name in (*(f"{module}.bias" for module in modules), f"{classifier}/bias", "_fc.bias", "classifier.1.bias"):
            if name in names and len(shape := file.get_slice(name).get_shape()) == 1:
                return int(shape[0])
    return None


def _any(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _absent(model: keras.Model, reader: Callable, names: set[str], patterns: Iterable[str]) -> set[str]:
    """The layers called as one of the patterns of which the file contains nothing."""
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
    first_conv: Container[str] = (),
) -> list[tuple[keras.Variable, Slot]]:
    slots = {}  # by variable: a layer that is used twice is filled once
    for layer in model.layers:
        for variable in layer.weights:
            if layer.name in new_layers or _is_state(variable):
                continue
            slot = reader(layer, variable, names)
            if slot.tensor not in names and _any(optional, slot.tensor):
                continue
            if layer.name in first_conv and len(variable.shape) > 2:
                slot = slot._replace(channel_axis=-2, stored=None)
            slots[id(variable)] = (variable, slot)
    return list(slots.values())


def _is_state(variable: keras.Variable) -> bool:
    """Seeds of dropout and the like: state of the run, in no file."""
    return "seed_generator" in variable.path


def _open(path: Path, key: str | None = None) -> Any:
    if re.search(r"-\d+-of-\d+\.|\.index\.json$", path.name):
        raise InputError(
            f"{path} is one of several files (shards) that weights were split into. Expected {FORMATS}; save the model "
            "again without splitting it, such as by safetensors.torch.save_model."
        )
    if path.name.lower().endswith(PICKLED):
        return PickledFile(path, key)
    try:
        file = safe_open(path, framework="np")
        wrapper = wrapper_of(list(file.keys())) if key is None else ""
        return _Unwrapped(file, wrapper) if wrapper else file
    except PermissionError as error:
        raise AccessError(f"{path} cannot be read ({error}). Expected one of yours; see its permissions.") from error
    except (SafetensorError, OSError) as error:
        if path.suffix.lower() != ".safetensors":
            raise InputError(
                f"{path} is of a format that weights are not read from here. Expected {FORMATS}; save them in one of "
                "these where they were made."
            ) from error
        raise IntegrityError(
            f"{path} is not a whole safetensors file ({error}). Expected one; download or save it again."
        ) from error


def _check(path: Path, file: Any, names: set[str], slots: list[tuple[keras.Variable, Slot]], unused: tuple) -> None:
    wanted = {slot.tensor for _, slot in slots}
    known = {name for name in names if _any(unused, name)}
    missing, left_over = sorted(wanted - names), sorted(names - wanted - known)
    misshapen: list[str] = []
    problems = [f"missing: {name}" for name in missing] + [f"left over: {name}" for name in left_over]
    for variable, slot in slots:
        if slot.tensor in names:
            tensor = file.get_slice(slot.tensor)
            shape, dtype = tensor.get_shape(), str(tensor.get_dtype())
            if not slot.fits(shape, tuple(variable.shape)):
                misshapen.append(slot.tensor)
                problems.append(f"misshapen: {slot.tensor} is {shape}, {variable.path} wants {list(variable.shape)}")
            elif dtype not in FLOATS:
                problems.append(f"not floating point of at least 16 bits: {slot.tensor} is {dtype}")
    if problems:
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise WeightsMismatchError(
            f"{path} does not fit the architecture: {'; '.join(problems[:5])}{more}. Expected each of its {len(names)} "
            f"tensors to fill one of {len(slots)} variables. Check that the file is of this architecture and number of "
            "classes, or pass num_classes= for a new head and in_channels= for another number of channels.",
            missing=missing,
            left_over=left_over,
            misshapen=misshapen,
        )


class _Unwrapped:
    """An open safetensors file of a wrapped model: its tensors by their names within the model."""

    def __init__(self, file: Any, wrapper: str):
        self.file, self.wrapper = file, wrapper

    def __enter__(self) -> "_Unwrapped":
        return self

    def __exit__(self, *exception: object) -> None:
        self.file.__exit__(*exception)

    def keys(self) -> list[str]:
        return [name.removeprefix(self.wrapper) for name in self.file.keys()]  # noqa: SIM118 (no mapping)

    def get_slice(self, name: str) -> Any:
        return self.file.get_slice(self.wrapper + name)

    def get_tensor(self, name: str) -> np.ndarray:
        return self.file.get_tensor(self.wrapper + name)


class _Tensors:
    """Reads tensors, and opens the file anew now and then: an open one keeps in memory all that was read from it."""

    LIMIT_BYTES = 16_000_000

    def __init__(self, path: Path, key: str | None):
        self.path, self.key = path, key
        self.file: Any = None
        self.read_bytes = 0

    def get_tensor(self, name: str) -> np.ndarray:
        if self.file is None or self.read_bytes > self.LIMIT_BYTES:
            self.file, self.read_bytes = _open(self.path, self.key), 0
        values = self.file.get_tensor(name)
        self.read_bytes += values.nbytes
        return values


def _initializer(tensors: Any, slot: Slot, not_finite: list[str]) -> Callable[..., np.ndarray]:
    def initializer(shape, dtype=None):
        values = np.ascontiguousarray(slot.read(tensors, tuple(shape)), dtype=dtype).reshape(shape)  # () became (1,)
        if values.size and not (np.isfinite(values.min()) and np.isfinite(values.max())):
            not_finite.append(slot.tensor)
        return values

    return initializer
