"""Average pooling to a size, whatever the size of the map."""

import keras
from keras import ops

from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class AverageTo2D(keras.layers.Layer):
    """Average a map of any size to `size` rows and columns, as PyTorch's adaptive average pooling.

    Output `i` of `n`, from a side of `m` pixels, is the mean of the pixels from `floor(i m / n)` to before
    `ceil((i + 1) m / n)`; windows may overlap, and of small maps pixels are repeated. The same numbers as
    `keras.layers.AdaptiveAveragePooling2D`, which wants height and width known when the network is built.

    Args:
        size: Height and width that come out, an int or two, in pixels.
        data_format: `"channels_last"` or `"channels_first"`; None stands for Keras' setting.

    Input shape: `(batch, height, width, channels)`, float; height and width may be unknown.
    Output shape: `(batch, size, size, channels)`, within the range of the input.

    Raises:
        InputError: `size` is neither an int of at least 1 nor two, or `data_format` is unknown.
        ValueError: The input does not have 4 axes.

    Reference: PyTorch's `AdaptiveAvgPool2d`, https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html.

    Example:
        >>> import keras
        >>> from zoo.layers import AverageTo2D
        >>> row = keras.ops.reshape(keras.ops.array([0.0, 3.0, 9.0]), (1, 1, 3, 1))
        >>> keras.ops.convert_to_numpy(AverageTo2D((1, 2))(row)).ravel().tolist()
        [1.5, 6.0]
    """

    rank = 2

    def __init__(self, size, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.size = window.integers(self, "size", size)
        self.data_format = window.data_format_or_default(self, data_format)
        self.input_spec = keras.InputSpec(ndim=4)

    def call(self, inputs):
        x = window.channels_last(self, inputs)
        for size in reversed(self.size):  # columns, then rows: a product of matrices of both spatial axes turned over
            weights = ops.cast(self._weights(ops.shape(x)[2], size), x.dtype)
            x = ops.swapaxes(ops.matmul(weights, x), 1, 2)
        return window.channels_back(self, x)

    def _weights(self, length, size):
        """What each pixel counts in each mean: float32 `(size, length)`."""
        index, place = ops.arange(size, dtype="int32")[:, None], ops.arange(length, dtype="int32")[None]
        first, last = index * length // size, ((index + 1) * length - 1) // size
        inside = ops.cast(ops.logical_and(place >= first, place <= last), "float32")
        return inside / ops.cast(last - first + 1, "float32")

    def compute_output_shape(self, input_shape):
        return window.replace_spatial(self, input_shape, self.size)

    def get_config(self):
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}
