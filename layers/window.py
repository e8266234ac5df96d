"""Where a sliding window stands: sizes, padding, shifted views and the arguments that describe it."""

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


def output_length(length, size: int, stride: int, padding: str):
    """Return how many windows fit: ceil(length / stride) for `same`, whole windows only for `valid`."""
    if length is None:
        return None
    return (length + stride - 1) // stride if padding == "same" else (length - size) // stride + 1


def same_padding(length, size: int, stride: int):
    """Return the zeros that Keras' `same` puts (before, after); scalar tensors where `length` is one."""
    if stride == 1:
        total = size - 1
    else:
        total = (output_length(length, size, stride, "same") - 1) * stride + size - length
        total = max(total, 0) if isinstance(total, int) else ops.maximum(total, 0)
    return total // 2, total - total // 2


def view(inputs, axis: int, offset: int, size: int, stride: int):
    """Return what the pixel `offset` of every window of `size` pixels along `axis` sees."""
    stop = offset - size + 1  # counted from the end, so that unknown lengths need no arithmetic
    return inputs[(slice(None),) * axis + (slice(offset, stop or None, stride),)]
