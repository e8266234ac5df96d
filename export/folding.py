"""The same network with fewer layers, for inference: its answers stay the same up to rounding.

Batch normalisation is folded into the convolution before it. Branches that convolve the same map side by side and are
added (RepVGG, MobileOne, RepViT, RepGhost, GhostNetV3) become one convolution: Ding et al., 2021,
https://arxiv.org/abs/2101.03697, figure 4. Neither can be trained as before.
"""

from typing import Any, NamedTuple

import keras
import numpy as np

from zoo.export.variants import inbound, rebuilt
from zoo.layers import DepthwiseConv2D
from zoo.model import ZooModel

_TRANSPOSED = (keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
_DEPTHWISE = (keras.layers.DepthwiseConv2D, DepthwiseConv2D)
_FOLDABLE = (  # these and no subclass, which may compute something else
    keras.layers.Dense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.SeparableConv2D,
    *_TRANSPOSED,
    *_DEPTHWISE,
)


def folded(model: ZooModel) -> ZooModel:
    """Fold each batch normalisation, and fuse all branches, where nothing else reads what disappears."""
    graph = _Graph(model)
    graph.fold_and_fuse()
    return graph.built()


def fused(model: ZooModel) -> ZooModel:
    """`folded`, for a network with branches to fuse; any other one itself."""
    graph = _Graph(model)
    return graph.built() if graph.fold_and_fuse() else model


class _Branch(NamedTuple):
    """A sum's term, `kernel` applied to `source` with `strides`, and `bias`. Without a layer the kernel is diagonal:
    what is added is the source itself, or the source normalised."""

    source: str
    strides: tuple[int, int]
    kernel: np.ndarray
    bias: np.ndarray
    layer: Any = None


class _Graph:
    """A model's configuration, its weights in float64, and which layer reads which."""

    def __init__(self, model: ZooModel):
        self.config = model.get_config()
        self.stated = {layer["name"]: layer for layer in self.config["layers"]}
        self.layers: dict[str, Any] = {
            layer.name: layer for layer in model.layers
        }  # the configuration also holds slices and the like
        self.weights = {name: [np.asarray(w) for w in layer.get_weights()] for name, layer in self.layers.items()}
        self.reads = inbound(self.config)
        self.readers: dict[str, set[str]] = {name: set() for name in self.reads}
        for name, sources in self.reads.items():
            for source in sources:
                self.readers[source].add(name)
        self.kept = {tensor._keras_history.operation.name for tensor in (*model.outputs, *model.inputs)}
        self.replaced: dict[str, str] = {}

    def fold_and_fuse(self) -> int:
        """Do both wherever they can be done; the number of sums that were fused."""
        sums = 0
        for name in list(self.reads):  # in the order of computation: what a layer reads is done
            layer = self.layers.get(name) if name in self.reads else None
            if layer is None or len(self.stated[name]["inbound_nodes"]) != 1:
                continue
            if isinstance(layer, keras.layers.BatchNormalization):
                self._fold(name)
            elif type(layer) is keras.layers.Add:
                sums += self._fuse(name)
        return sums

    def built(self) -> ZooModel:
        self.config["layers"] = [layer for layer in self.config["layers"] if layer["name"] in self.reads]
        for part in ("layers", "output_layers"):
            self.config[part] = self._redirected(self.config[part])
        return rebuilt(self.config, {name: self._rounded(name) for name in self.weights if name in self.reads})

    def _fold(self, name: str) -> None:
        before: Any = self.layers.get(self.reads[name][0])
        norm = self.layers[name]
        if not _is_of_channels(norm) or not self._is_alone(before):
            return
        scale, shift = _affine(norm)
        *kernels, bias = self._with_bias(before.name)
        if type(before) in _DEPTHWISE:  # kernel (h, w, channels, multiplier)
            factor = scale.reshape(kernels[-1].shape[-2:])
        else:  # kernel (..., in, out), transposed (..., out, in)
            factor = scale[:, None] if type(before) in _TRANSPOSED else scale
        self._set(before.name, [*kernels[:-1], kernels[-1] * factor, bias * scale + shift])
        self._bypass(name, before.name)

    def _fuse(self, name: str) -> bool:
        """Make one convolution of what is added, where all of it is linear in the same map."""
        branches = [self._branch(term) for term in self.reads[name]]
        found = [branch for branch in branches if branch is not None]
        convolutions = [branch for branch in found if branch.layer is not None]
        if len(found) < max(2, len(self.reads[name])) or not convolutions:
            return False
        largest = max(convolutions, key=lambda branch: max(branch.kernel.shape[:2]))
        like = {(b.source, b.strides) for b in found} | {(largest.source, largest.strides)}
        kinds = {(type(b.layer) in _DEPTHWISE, getattr(b.layer, "groups", 1)) for b in convolutions}
        if len(like) > 1 or len(kinds) > 1 or any(not _fits(branch, largest) for branch in found):
            return False
        kernels, biases = [_centered(branch.kernel, largest) for branch in found], [branch.bias for branch in found]
        self._set(largest.layer.name, [np.sum(kernels, axis=0), np.sum(biases, axis=0)])
        self._bypass(name, largest.layer.name)
        return True

    def _branch(self, name: str) -> _Branch | None:
        """The term `name` of a sum: of what it reads where it may disappear, else of itself; None for no map."""
        layer: Any = self.layers.get(name)
        if type(layer) in (keras.layers.Conv2D, *_DEPTHWISE) and self._is_alone(layer):
            source = self._centred_source(layer)
            if source is not None:
                kernel, bias = self._with_bias(name)
                return _Branch(*self._subsampled(source, tuple(layer.strides), kernel), kernel, bias, layer)
        is_norm = isinstance(layer, keras.layers.BatchNormalization) and _is_of_channels(layer)
        if is_norm and self._is_alone(layer, activated=False):
            scale, shift = _affine(layer)
            return _Branch(self.reads[name][0], (1, 1), scale[None, None], shift)
        tensor = getattr(layer, "output", None)
        if not isinstance(tensor, keras.KerasTensor) or len(tensor.shape) != 4:
            return None
        return _Branch(name, (1, 1), np.ones((1, 1, tensor.shape[-1])), np.zeros(tensor.shape[-1]))

    def _centred_source(self, layer: Any) -> str | None:
        """What a convolution reads that pads by half of its kernel on every side; None for another one."""
        source, sizes = self.reads[layer.name][0], layer.kernel_size
        if any(size % 2 == 0 for size in sizes) or set(layer.dilation_rate) != {1}:
            return None
        if getattr(layer, "depth_multiplier", 1) != 1:
            return None
        if layer.padding == "same":
            return source if set(layer.strides) == {1} or set(sizes) == {1} else None
        before: Any = self.layers.get(source)
        if type(before) is keras.layers.ZeroPadding2D and before.padding == tuple((s // 2,) * 2 for s in sizes):
            return self.reads[source][0]
        return source if set(sizes) == {1} else None

    def _subsampled(self, source: str, strides: tuple[int, int], kernel: np.ndarray) -> tuple[str, tuple[int, int]]:
        """Source and strides of a convolution; where a 1x1 kernel reads every nth pixel of a map, that map and n."""
        before: Any = self.layers.get(source)
        subsamples = type(before) is keras.layers.AveragePooling2D and before.pool_size == (1, 1)
        if subsamples and kernel.shape[:2] == strides == (1, 1):
            return self.reads[source][0], before.strides
        return source, strides

    def _is_alone(self, layer: Any, activated: bool = True) -> bool:
        """Whether one layer reads it, once, and the model does not output it; with a linear activation, foldable."""
        if layer is None or layer.name in self.kept or len(self.readers[layer.name]) != 1:
            return False
        if len(self.stated[layer.name]["inbound_nodes"]) != 1:
            return False
        return not activated or (type(layer) in _FOLDABLE and layer.activation is keras.activations.linear)

    def _with_bias(self, name: str) -> list[np.ndarray]:
        weights = self.weights[name]
        if self.stated[name]["config"]["use_bias"]:
            return weights
        layer = self.layers[name]
        return [*weights, np.zeros(layer.output.shape[-1])]

    def _set(self, name: str, weights: list[np.ndarray]) -> None:
        self.weights[name] = weights
        self.stated[name]["config"]["use_bias"] = True

    def _bypass(self, name: str, target: str) -> None:
        """Let all that read `name` read `target`."""
        for reader in self.readers[name]:
            self.reads[reader] = [target if source == name else source for source in self.reads[reader]]
            self.readers[target].add(reader)
        if name in self.kept:
            self.kept.add(target)
        self.replaced[name] = target
        self.readers[name] = set()
        self._remove(name)

    def _remove(self, name: str) -> None:
        """Remove a layer that nothing reads, and all that it alone read."""
        for source in set(self.reads.pop(name)):
            self.readers[source].discard(name)
            if not self.readers[source] and source not in self.kept and source in self.reads:
                self._remove(source)
        self.readers.pop(name)

    def _redirected(self, config: Any) -> Any:
        """The configuration with every tensor of a layer that was replaced read from its replacement."""
        if isinstance(config, dict):
            return {key: self._redirected(value) for key, value in config.items()}
        if not isinstance(config, list | tuple):
            return config
        if len(config) == 3 and isinstance(config[0], str) and config[0] in self.replaced:
            return [self._target(config[0]), *config[1:]]
        return type(config)(map(self._redirected, config))

    def _target(self, name: str) -> str:
        while name in self.replaced:
            name = self.replaced[name]
        return name

    def _rounded(self, name: str) -> list[np.ndarray]:
        return [w.astype("float32") if w.dtype == "float64" else w for w in self.weights[name]]


def _is_of_channels(norm: keras.layers.BatchNormalization) -> bool:
    """Whether it normalises the last axis."""
    return norm.axis in (-1, len(norm.input.shape) - 1)


def _fits(branch: _Branch, largest: _Branch) -> bool:
    """Whether as many channels come out, of a kernel that is nowhere larger."""
    sides = zip(branch.kernel.shape[:2], largest.kernel.shape[:2], strict=True)
    return branch.bias.shape == largest.bias.shape and all(side <= limit for side, limit in sides)


def _affine(norm: keras.layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """What a normalisation multiplies by and adds, in float64."""
    mean, variance = (np.asarray(value, "float64") for value in (norm.moving_mean, norm.moving_variance))
    scale = 1 / np.sqrt(variance + norm.epsilon)
    if norm.scale:
        scale = scale * np.asarray(norm.gamma, "float64")
    shift = -mean * scale
    return scale, shift + np.asarray(norm.beta, "float64") if norm.center else shift


def _centered(kernel: np.ndarray, like: _Branch) -> np.ndarray:
    """A kernel, or the diagonal of a 1x1 kernel, in the middle of zeros as large as the kernel of `like`."""
    whole: Any = np.zeros(like.kernel.shape)
    if kernel.ndim == 3:  # the factor of each channel
        channels = np.arange(kernel.shape[-1])
        row, column = whole.shape[0] // 2, whole.shape[1] // 2
        if type(like.layer) in _DEPTHWISE:  # (h, w, channels, 1)
            whole[row, column, channels, 0] = kernel[0, 0]
        else:  # (h, w, channels in a group, channels)
            whole[row, column, channels % whole.shape[2], channels] = kernel[0, 0]
        return whole
    height, width = kernel.shape[:2]
    top, left = (whole.shape[0] - height) // 2, (whole.shape[1] - width) // 2
    whole[top : top + height, left : left + width] = kernel
    return whole
