"""Bicubic enlargement, the same numbers on every backend."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from zoo.errors import InputError
from zoo.layers.pixel_shuffle import PixelShuffle2D


@keras.saving.register_keras_serializable(package="zoo")
class BicubicUpSampling2D(keras.layers.Layer):
    """Enlarge an image by an integer factor with Keys' cubic (a = -1/2), as Pillow's `BICUBIC` does.

    `keras.layers.UpSampling2D(interpolation="bicubic")` takes a = -3/4 on PyTorch and a = -1/2 on TensorFlow and JAX.

    Args:
        size: Enlargement of height and width, an int of at least 1.

    Input shape: `(batch, height, width, channels)`, float, height and width may be unknown.
    Output shape: `(batch, size * height, size * width, channels)`, same range, but the cubic overshoots at edges.

    Raises:
        InputError: `size` is not an int of at least 1.
        ValueError: The input does not have 4 axes.

    Reference: Keys, 1981, https://doi.org/10.1109/TASSP.1981.1163711, equation 15.
    At the border the taps outside of the image are left out and the others rescaled to sum to one, as in Pillow.

    Example:
        >>> import keras
        >>> from zoo.layers import BicubicUpSampling2D
        >>> keras.ops.shape(BicubicUpSampling2D(2)(keras.ops.ones((1, 4, 5, 3))))
        (1, 8, 10, 3)
    """

    def __init__(self, size: int = 2, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(size, int) or size < 1:
            raise InputError(
                f"{type(self).__name__}: `size` must be an int of at least 1. Received: size={size!r}. "
                "Height and width grow by the same factor."
            )
        self.size = size
        self.input_spec = keras.InputSpec(ndim=4)
        options = {"data_format": "channels_last", "dtype": self.dtype_policy}
        self.interleave = PixelShuffle2D(size, channel_order="pytorch", **options)

    def build(self, input_shape):
        self.interleave.build((*input_shape[:-1], input_shape[-1] * self.size**2))

    def call(self, inputs):
        # The weights that fall inside of the image: one everywhere but in the two border rows and columns.
        inside = self._filter(ops.ones_like(inputs[:1, :, :, :1]))
        return self._filter(inputs) / inside

    def _filter(self, inputs):
        """(b, h, w, c) -> (b, h, w, c * size²), one filter for each position in an output block -> (b, rh, rw, c)."""
        kernel = np.tile(_phase_kernels(self.size, self._weights), (1, 1, inputs.shape[-1], 1))
        kernel = ops.convert_to_tensor(kernel, dtype=inputs.dtype)
        return self.interleave(ops.depthwise_conv(inputs, kernel, padding="same", data_format="channels_last"))

    @staticmethod
    def _weights(distance: np.ndarray) -> np.ndarray:
        """How much a pixel counts at a distance, in input pixels."""
        near = 1.5 * distance**3 - 2.5 * distance**2 + 1
        far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
        return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (batch, height and height * self.size, width and width * self.size, channels)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


def _phase_kernels(size: int, weights_at: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Weights of the 5x5 neighbours for each of the `size`² positions in a pixel: `(5, 5, 1, size * size)`."""
    centres = (np.arange(size) + 0.5) / size - 0.5  # relative to the middle of the input pixel
    weights = weights_at(np.abs(np.arange(-2, 3)[:, None] - centres))  # (5, size)
    return np.einsum("ya,xb->yxab", weights, weights).reshape(5, 5, 1, size * size)
