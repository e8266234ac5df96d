"""Where a sliding window stands: its arguments, its padding, and the shifted views of what it sees."""

import keras
from keras import ops

from zoo.errors import InputError


def integers(layer, name: str, value, minimum: int = 1) -> tuple[int, ...]:
    """Return `value`, an int or one int per spatial axis of `layer`, as a tuple of `layer.rank` ints."""
    values = (value,) * layer.rank if isinstance(value, int) else tuple(value)
    if len(values) != layer.rank or not all(isinstance(number, int) and number >= minimum for number in values):
        raise InputError(
            f"{type(layer).__name__}: `{name}` must be an int or {layer.rank} ints of at least {minimum}. "
            f"Received: {name}={value!r}."
        )
    return values


def choice(layer, name: str, value, allowed: tuple[str, ...]) -> str:
    """Return `value` if it is one of `allowed`."""
    if value not in allowed:
        raise InputError(f"{type(layer).__name__}: `{name}` must be one of {allowed}. Received: {name}={value!r}.")
    return value


def data_format_or_default(layer, data_format: str | None) -> str:
    """Return `data_format`, by default the one of the Keras configuration file."""
    allowed = ("channels_last", "channels_first")
    return choice(layer, "data_format", data_format or keras.config.image_data_format(), allowed)


def spatial_axes(layer) -> tuple[int, ...]:
    """Return the axes between batch and channels: (1, 2) or (2, 3) for images."""
    first = 1 if layer.data_format == "channels_last" else 2
    return tuple(range(first, first + layer.rank))


def channel_axis(layer) -> int:
    """Return the axis of the channels, counted from the front."""
    return layer.rank + 1 if layer.data_format == "channels_last" else 1


def spatial_shape(layer, shape) -> tuple:
    """Return the entries of `shape` between batch and channels."""
    return tuple(shape[axis] for axis in spatial_axes(layer))


def replace_spatial(layer, shape, sizes) -> tuple:
    """Return `shape` with `sizes` between batch and channels."""
    replaced = dict(zip(spatial_axes(layer), sizes, strict=True))
    return tuple(replaced.get(axis, size) for axis, size in enumerate(shape))


def channels_last(layer, inputs):
    """Move the channels of `inputs` to the end, if `layer` has them first."""
    return inputs if layer.data_format == "channels_last" else ops.moveaxis(inputs, 1, -1)


def channels_back(layer, outputs):
    """Undo `channels_last`."""
    return outputs if layer.data_format == "channels_last" else ops.moveaxis(outputs, -1, 1)


def output_length(length, size: int, stride: int, padding: str):
    """Return how many windows fit: ceil(length / stride) for `same`, whole windows only for `valid`."""
    if length is None:
        return None
    return (length + stride - 1) // stride if padding == "same" else (length - size) // stride + 1


def overhang(length, size: int, stride: int, padding: str):
    """Return how far the first window stands out of the image, as in Keras; a tensor where `length` is one."""
    if padding == "valid":
        return 0
    if stride == 1:
        return (size - 1) // 2
    total = (output_length(length, size, stride, "same") - 1) * stride + size - length
    return max(total, 0) // 2 if isinstance(total, int) else ops.maximum(total, 0) // 2


def frame(inputs, axis: int, start, length, fill: float = 0.0):
    """Return the pixels `start` to `start + length` along `axis`, with `fill` outside of the image."""
    size = ops.shape(inputs)[axis]
    before, after = -start, start + length - size
    if all(isinstance(number, int) for number in (before, after)):
        before, after = max(before, 0), max(after, 0)
        padded = before + after > 0
    else:
        before, after = ops.maximum(before, 0), ops.maximum(after, 0)
        padded = True
    if padded:
        width = [(0, 0)] * len(inputs.shape)
        width[axis] = (before, after)
        inputs = ops.pad(inputs, width, constant_values=fill)
    elif length is size:
        return inputs
    start = start + before
    return inputs[(slice(None),) * axis + (slice(start, start + length),)]


def trim(inputs, axes, sizes, strides, padding: str):
    """Return `inputs` without the pixels behind the last window of `same` padding, which no window sees.

    Where two or more are left over, TensorFlow's convolutions and pooling of volumes place their windows elsewhere.
    """
    for axis, size, stride in zip(axes, sizes, strides, strict=True):
        if len(sizes) == 3 and stride > size + 1 and padding == "same":
            windows = output_length(ops.shape(inputs)[axis], size, stride, "same")
            inputs = inputs[(slice(None),) * axis + (slice(0, (windows - 1) * stride + size),)]
    return inputs


def view(inputs, axis: int, offset: int, size: int, stride: int):
    """Return what the pixel `offset` of every window of `size` pixels along `axis` sees."""
    stop = offset - size + 1  # counted from the end, so that unknown lengths need no arithmetic
    return inputs[(slice(None),) * axis + (slice(offset, stop or None, stride),)]


def same_output_shape(layer, shape) -> tuple:
    """The shape of pooling with `layer.strides` over all places: each side is divided by its stride, rounded up."""
    steps = zip(spatial_shape(layer, shape), layer.strides, strict=True)
    return replace_spatial(layer, shape, [output_length(side, 1, step, "same") for side, step in steps])
