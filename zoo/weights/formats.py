"""The formats of weight files: how each calls the tensors of a layer's variables, and in which order of axes."""

import functools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import keras
import numpy as np

from zoo.weights.reference_names import effdet, smp, torchvision, torchvision_detection, upernet

TORCH_NAMES = {
    "alpha": "weight",
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


class Slot(NamedTuple):
    """Where a variable's values come from: a tensor's name and how it is brought into Keras' order.

    `stored` is the shape that the file has it in, up to axes of length 1 (`(filters, channels, 1, 1)` for a dense
    layer's `(filters, channels)`), and `axes` is how its axes are moved then. What comes out has the variable's shape
    or, for a depthwise kernel of several filters per channel, its size. Without `stored` the shape has to be the same.
    `channel_axis` is set for the first convolution where the image's channels become others: the variable's axis.
    """

    tensor: str
    axes: tuple[int, ...] | None = None
    stored: tuple[int, ...] | None = None
    channel_axis: int | None = None

    def fits(self, shape: list[int], wanted: tuple[int, ...]) -> bool:
        """Whether a tensor of this shape fills a variable of the shape that is wanted."""
        if self.stored is not None:
            return _without_ones(shape) == _without_ones(self.stored)
        moved = [shape[axis] for axis in self.axes] if self.axes and len(self.axes) == len(shape) else list(shape)
        if self.channel_axis is None or len(moved) != len(wanted) or moved[self.channel_axis] < 1:
            return moved == list(wanted)
        return _without(moved, self.channel_axis) == _without(list(wanted), self.channel_axis)

    def read(self, file: Any, wanted: tuple[int, ...]) -> np.ndarray:
        """The tensor as the variable wants it."""
        values = file.get_tensor(self.tensor)
        if self.stored is not None:
            values = values.reshape(self.stored)
        if self.axes is not None:
            values = values.transpose(self.axes)
        if self.channel_axis is not None:
            values = _with_channels(values, wanted[self.channel_axis], self.channel_axis)
        return values.reshape(wanted)

    def written(self, values: np.ndarray) -> np.ndarray:
        """The variable's values as the file has them: what `read` undoes."""
        if self.axes is None:
            return values if self.stored is None else values.reshape(self.stored)
        if self.stored is not None:
            values = values.reshape([self.stored[axis] for axis in self.axes])
        return values.transpose(np.argsort(self.axes))


def _without_ones(shape: Iterable[int]) -> list[int]:
    return [length for length in shape if length != 1]


def _without(shape: list[int], axis: int) -> list[int]:
    return [length for index, length in enumerate(shape) if index != axis % len(shape)]


def _with_channels(values: np.ndarray, channels: int, axis: int) -> np.ndarray:
    """timm's rule: summed for one channel, else repeated, and scaled so that the sum over channels stays alike."""
    before = values.shape[axis]
    if before == channels:  # a file for so many channels needs no change
        return values
    values = values.astype("float32")  # sums of half precision would be rounded
    if channels == 1:
        return values.sum(axis=axis, keepdims=True)
    return np.take(values, np.arange(channels) % before, axis=axis) * (before / channels)


def read_zoo(layer: keras.Layer, variable: keras.Variable, names: set[str]) -> Slot:
    """Our own format: tensors are called as Keras' variable paths, `feature-conv/kernel`."""
    return Slot(variable.path)


def _published(module: str) -> list[str]:
    """Where a repository that timm names may have a module: RDNet's author has its stem in one more module."""
    return [module, f"stem.{module}"] if module.startswith("stem.") else [module]


def read_timm(
    layer: keras.Layer,
    variable: keras.Variable,
    names: set[str],
    paths: Callable[[str], list[str]] = _published,
) -> Slot:
    """timm's format: the layer's name with dots, PyTorch's variable names and axes.

    A variable that no PyTorch layer has (`blocks.0.gamma`) is a bare parameter of the module that names the layer; a
    factor per channel is called `gamma`, `scale` or `layer_scale_parameter` there. `paths` says where else a file may
    have the module.
    """
    modules, leaf = paths(layer.name.replace("-", ".")), variable.path.rsplit("/", 1)[-1]
    leaves = [TORCH_NAMES.get(leaf, leaf), leaf, *(("scale", "layer_scale_parameter") if leaf == "gamma" else ())]
    candidates = [f"{module}.{each}" for module in modules for each in leaves]
    name = next((candidate for candidate in candidates if candidate in names), candidates[0])
    if leaf == "alpha":  # PReLU's slopes: (channels,) -> (1, 1, channels)
        return Slot(name, stored=tuple(variable.shape))
    if leaf != "kernel":
        return Slot(name)
    *window, inputs, outputs = variable.shape
    spatial = tuple(range(2, len(variable.shape)))
    if isinstance(layer, keras.layers.DepthwiseConv1D | keras.layers.DepthwiseConv2D):
        return Slot(name, (*spatial, 0, 1), (inputs * outputs, 1, *window))
    # Convolution OI…→…IO, transposed convolution IO…→…OI; 1x1 convolutions and dense layers stand for each other.
    stored = (outputs, inputs, *window) if all(length == 1 for length in window) else None
    return Slot(name, (*spatial, 1, 0), stored)


def read_medicalnet(layer: keras.Layer, variable: keras.Variable, names: set[str]) -> Slot:
    """MedicalNet's format: as PyTorch's, with the prefix that training on several devices gives."""
    slot = read_timm(layer, variable, names)
    return slot._replace(tensor=f"module.{slot.tensor}")


class WeightFormat(NamedTuple):
    """How a format is read: from a layer, one of its variables and the names in a file to a `Slot`.

    `nested_in` is the key of a pickled dictionary under which the tensors are; by default it contains them itself.
    `paths` says under which names a file may have one of our modules.
    """

    reader: Callable[[keras.Layer, keras.Variable, set[str]], Slot]
    nested_in: str | None = None
    paths: Callable[[str], list[str]] = lambda module: [module]


def _renamed(paths: Callable[[str], list[str]]) -> WeightFormat:
    return WeightFormat(functools.partial(read_timm, paths=paths), paths=paths)


WEIGHT_FORMATS = {
    "zoo": WeightFormat(read_zoo),
    "timm": WeightFormat(read_timm),
    "pytorch": WeightFormat(read_timm),  # whatever else calls its tensors as its modules
    "medicalnet": WeightFormat(read_medicalnet, nested_in="state_dict"),
    "smp": _renamed(smp),
    "torchvision": _renamed(torchvision),
    "torchvision_detection": _renamed(torchvision_detection),
    "upernet": _renamed(upernet),
    "effdet": _renamed(effdet),
}
