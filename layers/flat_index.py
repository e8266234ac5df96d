"""TensorFlow's flat index `(row * width + column) * channels + channel`, and how pixels move by it."""

import itertools

from keras import ops


def steps_of(sizes, channels) -> tuple:
    """Return how far the index moves with one pixel along each axis: (width * channels, channels) for images."""
    steps = [channels]
    for size in reversed(sizes[1:]):
        steps.insert(0, steps[0] * size)
    return tuple(steps)


def window_starts(firsts, strides, windows, steps, channels):
    """Return the int32 index of the first pixel of each window, `(1, *windows, channels)`.

    `firsts` is the first pixel of the first window along each axis, negative where it overhangs the border.
    """
    index = ops.arange(channels, dtype="int32")
    rank = len(windows)
    for axis, (first, stride, count, step) in enumerate(zip(firsts, strides, windows, steps, strict=True)):
        along = (ops.arange(count, dtype="int32") * stride + first) * step
        index = index + ops.reshape(along, [1] * (axis + 1) + [-1] + [1] * (rank - axis))
    return index


def pick(images, indices):
    """Return the pixel of `images` that each of `indices` names, in the shape of `indices`."""
    batch, *sizes = ops.shape(images)
    entries = sizes[0] * sizes[1]
    for size in sizes[2:]:
        entries = entries * size
    image = ops.reshape(ops.arange(batch, dtype="int32") * entries, [-1] + [1] * len(sizes))
    return ops.take(ops.reshape(images, (-1,)), indices + image, axis=0)


def place(values, offsets, strides, steps):
    """Lay blocks of `strides` pixels side by side, each empty but for its value, `offsets` after its first pixel.

    `values`, `offsets`: `(batch, *windows, channels)`. Returns `(batch, *(windows * strides), channels)`.
    A comparison per pixel instead of a scatter: it is exact for any order of execution, and XLA fuses it.
    """
    batch, rows, *rest = ops.shape(values)
    if len(strides) > 2:  # TensorFlow broadcasts five axes at most, so volumes are made plane by plane
        values, offsets = (ops.reshape(x, (batch * rows, *rest)) for x in (values, offsets))
        planes = [place(values, offsets - tap * steps[0], strides[1:], steps[1:]) for tap in range(strides[0])]
        planes = ops.stack(planes, axis=1)  # (batch * depth, strides[0], height, width, channels)
        return ops.reshape(planes, (batch, rows * strides[0], *ops.shape(planes)[2:]))
    apart = [batch * rows, 1, rest[-1]] if len(strides) == 1 else [batch * rows, 1, rest[0], 1, rest[1]]
    taps = 0
    for axis, (stride, step) in enumerate(zip(strides, steps, strict=True)):
        along = [1] * len(apart)
        along[2 * axis + 1] = stride
        taps = taps + ops.reshape(ops.arange(stride, dtype="int32") * step, along)
    values = ops.where(ops.reshape(offsets, apart) == taps, ops.reshape(values, apart), 0)
    sizes = [rows * strides[0]] if len(strides) == 1 else [rows * strides[0], rest[0] * strides[1]]
    return ops.reshape(values, (batch, *sizes, rest[-1]))


def taps_of(pool_size):
    """Iterate over the pixels of a window in the order in which the first of equal maxima wins."""
    return itertools.product(*(range(size) for size in pool_size))
