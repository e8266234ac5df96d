"""Upsampling that is learned from a good start."""

from functools import reduce

import keras
import numpy as np
from keras import ops

from zoo.errors import InputError


@keras.saving.register_keras_serializable(package="zoo")
class BilinearInterpolation(keras.initializers.Initializer):
    """Let a transposed convolution start as bilinear upsampling, each channel by itself.

    With stride s the kernel must have size `2 * s - s % 2` and the padding be `"same"`: then the outputs equal
    bilinear upsampling by s (half-pixel centres) except within s pixels of the border, where zeros blend in.
    Linear and trilinear with `Conv1DTranspose` and `Conv3DTranspose`.

    Input shape: That of a kernel, `(*kernel_size, filters, channels)`. Output `o` reads input `o` only.
    Output shape: The same; weights within [0, 1], 0 between different channels.

    Raises:
        InputError: The shape is not that of a convolution kernel.

    Reference: Long et al., 2014, https://arxiv.org/abs/1411.4038, section 3.3.

    Example:
        >>> import keras
        >>> from zoo.layers import BilinearInterpolation
        >>> up = keras.layers.Conv2DTranspose(3, 4, 2, "same", kernel_initializer=BilinearInterpolation())
        >>> keras.ops.shape(up(keras.ops.ones((1, 8, 6, 3))))
        (1, 16, 12, 3)
    """

    def __call__(self, shape, dtype=None):
        if len(shape) < 3:
            raise InputError(
                f"{type(self).__name__}: the kernel must have shape (*kernel_size, filters, channels). "
                f"Received: shape={tuple(shape)}. Use it as the `kernel_initializer` of a Conv2DTranspose."
            )
        *kernel_size, filters, channels = shape
        triangles = [self._triangle(size) for size in kernel_size]
        kernel = np.multiply.outer(reduce(np.multiply.outer, triangles), np.eye(filters, channels))
        return ops.convert_to_tensor(kernel, dtype or keras.config.floatx())

    def _triangle(self, size):
        """Return the weights of a source pixel at the pixels around it: 1 at its centre, 0 one source pixel away."""
        factor = (size + 1) // 2
        distance = np.abs(np.arange(size) - (size - 1) / 2)
        return 1 - distance / factor
