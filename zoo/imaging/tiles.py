"""Large images by overlapping tiles: the same output as of the whole, in the memory of one tile.

A network of convolutions sees of the image, for each pixel of its output, a square around it and no more: its reach. A
tile that is larger by the reach on each side gives for its middle what the whole image would, up to rounding. Two
things are kept as they are in the whole: where the strides begin, so tiles begin at multiples of their product, and
whether sides are even, on which padding depends, so a tile is as long as the image, modulo that product.
"""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import keras
import numpy as np

from zoo.errors import InputError
from zoo.model import ZooModel
from zoo.tasks import find_task
from zoo.tasks.task import Outputs, Prepared

LARGEST_OUTPUT = 1 << 29  # pixels; as an image and as an array they take 4 GB
# Operations, by class, that compute each pixel of their output from the same pixel of their inputs. Padding is that of
# the convolution behind it.
LOCAL = {"Activation", "Add", "BatchNormalization", "Concatenate", "CropLike", "Dropout", "GetItem"}
LOCAL |= {"LeakyReLU", "Multiply", "OnesLike", "PReLU", "ReLU", "Repeat", "Rescaling", "Subtract", "ZeroPadding2D"}
# Diffusion looks at the whole image, but in a hole mostly at what is near: with this reach and this step the output is
# that of the whole up to a level or two, where no hole is more than half as wide.
DIFFUSION, DIFFUSION_REACH, DIFFUSION_STEP = "DiffusionFill2D", 256, 128
ENLARGING = {"BicubicUpSampling2D": 2, "PixelShuffle2D": 0, "UpSampling2D": 0}  # and how many pixels further they look


class Reach(NamedTuple):
    """How far an output looks, in pixels of the input, and the product of the strides before it."""

    margin: int
    step: int


class Runner:
    """A network that takes large images by tiles, where the task allows it and the network is local.

    Args:
        network: Computes the outputs of a batch.
        model: Whose network it is.
    """

    def __init__(self, network: Callable[[Any], Any], model: ZooModel):
        self.network, self.model, self.task = network, model, find_task(model.spec.task)
        self.tile = self.task.tile and self.task.tile // int(model.spec.config.get("scale", 1))

    def __call__(self, batch: Prepared) -> Iterator[Outputs]:
        """The outputs of a batch, one input's after another's; those of tiles are pixels already (`Task.pixels`)."""
        count, height, width, *_ = keras.tree.flatten(batch)[0].shape if self.tile else (1, 0, 0)
        if not self.tile or count * height * width <= self.tile**2:
            yield from each(self._answered(batch))
            return
        found = reach(self.model) if height * width > self.tile**2 else None
        for inputs in each(batch):
            yield self._by_tiles(inputs, (height, width), found) if found else self._alone(inputs)

    def _answered(self, batch: Prepared) -> Outputs:
        return keras.tree.map_structure(keras.ops.convert_to_numpy, self.network(batch))

    def _alone(self, inputs: Prepared) -> Outputs:
        return next(each(self._answered(keras.tree.map_structure(lambda array: array[None], inputs))))

    def _by_tiles(self, inputs: Prepared, size: tuple[int, int], found: Reach) -> np.ndarray:
        rows, columns = (spans(length, self.tile or length, found) for length in size)
        whole = None
        for row in rows:
            for column in columns:
                kept = _cut(inputs, slice(*row.kept), slice(*column.kept))
                answer = self.task.unchanged(kept)
                if answer is None:
                    answer = self._middle(inputs, row, column)
                if whole is None:
                    scale = answer.shape[0] // (row.kept[1] - row.kept[0])
                    _check_size(size[0] * scale, size[1] * scale)
                    whole = np.empty((size[0] * scale, size[1] * scale, answer.shape[-1]), answer.dtype)
                top, bottom, left, right = (place * scale for place in (*row.kept, *column.kept))
                whole[top:bottom, left:right] = answer
        assert whole is not None  # noqa: S101 (there is a tile)
        return whole

    def _middle(self, inputs: Prepared, row: "Span", column: "Span") -> np.ndarray:
        """The network's output for the kept part of one tile."""
        output = self._alone(_cut(inputs, slice(row.start, row.stop), slice(column.start, column.stop)))
        assert isinstance(output, np.ndarray)  # noqa: S101 (of pixels)
        scale = output.shape[0] // (row.stop - row.start)
        top, bottom = ((place - row.start) * scale for place in row.kept)
        left, right = ((place - column.start) * scale for place in column.kept)
        return self.task.pixels(output[top:bottom, left:right])


class Span(NamedTuple):
    """From where to where a tile lies along one axis, and which part of its output is kept."""

    start: int
    stop: int
    kept: tuple[int, int]


def spans(length: int, tile: int, found: Reach) -> list[Span]:
    """Tiles of about `tile` pixels along an axis, whose kept parts cover it once."""
    margin = -(-found.margin // found.step) * found.step
    tile = max(tile, 3 * margin) // found.step * found.step + length % found.step
    if tile >= length:
        return [Span(0, length, (0, length))]
    start, kept, result = 0, 0, []
    while kept < length:
        stop = start + tile
        end = length if stop == length else stop - margin - length % found.step
        result.append(Span(start, stop, (kept, end)))
        kept, start = end, min(end - margin, length - tile)
    return result


def reach(model: keras.Model) -> Reach | None:
    """The reach of the network's output; None where it may look at the whole image, or nothing is known."""
    seen = {id(tensor): (Fraction(1), Fraction(0)) for tensor in keras.tree.flatten(model.input)}
    strides = 1
    for operation in model.operations:
        try:
            inputs, outputs = keras.tree.flatten(operation.input), keras.tree.flatten(operation.output)
        except (AttributeError, ValueError):  # called twice
            return None
        if isinstance(operation, keras.layers.InputLayer):
            continue
        before = [seen[id(tensor)] for tensor in inputs if id(tensor) in seen]
        if not before:
            return None
        after = _looked(operation, min(step for step, _ in before), max(radius for _, radius in before))
        if after is None:
            return None
        seen |= {id(tensor): after for tensor in outputs}
        strides = max(strides, math.ceil(after[0]), DIFFUSION_STEP * (type(operation).__name__ == DIFFUSION))
    radius = max(seen[id(tensor)][1] for tensor in keras.tree.flatten(model.output))
    return Reach(math.ceil(radius), strides)


def _looked(operation: Any, step: Fraction, radius: Fraction) -> tuple[Fraction, Fraction] | None:
    """After an operation: how many pixels of the input lie between two of its output, and how far it looks."""
    name = type(operation).__name__
    if name == DIFFUSION:
        return step, radius + DIFFUSION_REACH
    if name in ENLARGING:
        size = max(keras.tree.flatten(operation.size))
        return step / size, radius + step * (1 + ENLARGING[name])
    if hasattr(operation, "kernel_size"):
        stride = max(operation.strides)
        half = max(
            size // 2 * dilation for size, dilation in zip(operation.kernel_size, operation.dilation_rate, strict=True)
        )
        if isinstance(operation, keras.layers.Conv2DTranspose):
            return step / stride, radius + step * (math.ceil(Fraction(half, stride)) + 1)
        return step * stride, radius + step * half
    return (step, radius) if name in LOCAL else None


def each(outputs: Outputs) -> Iterator[Outputs]:
    """The arrays of a batch, one input's after another's."""
    for position in range(len(keras.tree.flatten(outputs)[0])):
        yield keras.tree.map_structure(lambda array, position=position: array[position], outputs)


def _check_size(height: int, width: int) -> None:
    if height * width > LARGEST_OUTPUT:
        raise InputError(
            f"The output would have {width} x {height} pixels. Expected at most {LARGEST_OUTPUT:,}: a smaller image, "
            "or a part of it."
        )


def _cut(inputs: Prepared, rows: slice, columns: slice) -> Prepared:
    return keras.tree.map_structure(lambda array: array[rows, columns], inputs)
