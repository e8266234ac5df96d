"""Sliding windows in slow NumPy, from the definition of Keras' `valid` and `same` padding."""

import itertools

import numpy as np


def same_before(length, reach, stride):
    windows = -(-length // stride)
    return max((windows - 1) * stride + reach - length, 0) // 2


def windows(image, size, strides, padding, dilation=1, fill=0.0):
    """Yield (position, window, pixels) of one image `(*sizes, channels)`.

    `window` is `(*size, channels)`, `fill` outside of the image; `pixels` are the image coordinates of its taps.
    """
    rank = image.ndim - 1
    reach = [(s - 1) * dilation + 1 for s in size]
    if padding == "same":
        counts = [-(-n // s) for n, s in zip(image.shape, strides, strict=False)]
        before = [same_before(n, r, s) for n, r, s in zip(image.shape, reach, strides, strict=False)]
    else:
        counts = [(n - r) // s + 1 for n, r, s in zip(image.shape, reach, strides, strict=False)]
        before = [0] * rank
    for position in itertools.product(*map(range, counts)):
        window, pixels = np.full((*size, image.shape[-1]), fill, image.dtype), {}
        for tap in itertools.product(*map(range, size)):
            at = tuple(p * s - b + t * dilation for p, s, b, t in zip(position, strides, before, tap, strict=True))
            if all(0 <= a < n for a, n in zip(at, image.shape, strict=False)):
                window[tap], pixels[tap] = image[at], at
        yield position, window, pixels


def output_shape(image, size, strides, padding, dilation=1):
    last = None
    for position, _, _ in windows(image, size, strides, padding, dilation):
        last = position
    return tuple(p + 1 for p in last)
