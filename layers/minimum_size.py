"""Enlarge maps that are too small for what follows."""

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class MinimumSize2D(keras.layers.Layer):
    """Enlarge maps with a side below `size` to `size` along that side; leave others as they are.

    As PyTorch's adaptive average pooling to the larger size does: output `i` of `n`, from a side of `m` pixels, is the
    mean of the pixels `floor(i m / n)` to `ceil((i + 1) m / n) - 1`: one or two, as nothing is made smaller.

    Args:
        size: Smallest height and width that come out, in pixels.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the Keras configuration.

    Input shape: `(batch, height, width, channels)`, float; height and width may be unknown.
    Output shape: `(batch, max(height, size), max(width, size), channels)`, within the range of the input.

    Raises:
        InputError: `size` is not an int of at least 1, or `data_format` is unknown.
        ValueError: The input does not have 4 axes.

    Reference: timm's `ConvMlp`, in
    https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/vgg.py, which enlarges before VGG's head.

    Example:
        >>> import keras
        >>> from zoo.layers import MinimumSize2D
        >>> keras.ops.shape(MinimumSize2D(7)(keras.ops.ones((1, 3, 8, 16))))
        (1, 7, 8, 16)
    """

    rank = 2

    def __init__(self, size: int, data_format=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(size, int) or size < 1:
            raise InputError(
                f"{type(self).__name__}: `size` must be an int of at least 1. Received: size={size!r}. "
                "Height and width have the same minimum."
            )
        self.size = size
        self.data_format = window.data_format_or_default(self, data_format)
        self.input_spec = keras.InputSpec(ndim=4)

    def call(self, inputs):
        vertical, horizontal = window.spatial_axes(self)
        return self._stretch(self._stretch(inputs, vertical), horizontal)

    def _stretch(self, x, axis):
        old = ops.shape(x)[axis]
        if isinstance(old, int):
            if old >= self.size:
                return x
            new = self.size
        else:
            new = ops.maximum(old, self.size)
        index = ops.arange(new, dtype="int32")
        first, last = index * old // new, ((index + 1) * old - 1) // new
        return (ops.take(x, first, axis=axis) + ops.take(x, last, axis=axis)) / 2

    def compute_output_shape(self, input_shape):
        sides = [side and max(side, self.size) for side in window.spatial_shape(self, input_shape)]
        return window.replace_spatial(self, input_shape, sides)

    def get_config(self):
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}
