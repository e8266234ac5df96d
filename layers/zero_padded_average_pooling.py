"""Average pooling that counts the zeros around the map."""

import keras
from keras import ops

from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class ZeroPaddedAveragePooling2D(keras.layers.Layer):
    """Average pooling with `same` windows, divided by the size of the whole window at the edges too.

    What is outside of the map counts as zeros there, as in PyTorch's `AvgPool2d(count_include_pad=True)`.
    `keras.layers.AveragePooling2D` with `same` padding averages what is inside.

    Args:
        pool_size: Height and width of the window, in pixels; an int or one int per axis.
        strides: Step between windows, in pixels; an int or one int per axis.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the Keras configuration.

    Input shape: `(batch, height, width, channels)`, float; height and width may be unknown.
    Output shape: `(batch, ceil(height / strides), ceil(width / strides), channels)`.

    Raises:
        InputError: `pool_size` or `strides` is below 1, or `data_format` is unknown.
        ValueError: The input does not have 4 axes.

    Reference: PyTorch's `AvgPool2d`, https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html.

    Example:
        >>> import keras
        >>> from zoo.layers import ZeroPaddedAveragePooling2D
        >>> pooled = ZeroPaddedAveragePooling2D((1, 3))(keras.ops.ones((1, 1, 3, 1)) * 3)
        >>> keras.ops.convert_to_numpy(pooled).ravel().tolist()
        [2.0, 3.0, 2.0]
    """

    rank = 2

    def __init__(self, pool_size=3, strides=1, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = window.integers(self, "pool_size", pool_size)
        self.strides = window.integers(self, "strides", strides)
        self.data_format = window.data_format_or_default(self, data_format)
        self.input_spec = keras.InputSpec(ndim=4)

    def call(self, inputs):
        x = inputs
        for axis, size, stride in zip(window.spatial_axes(self), self.pool_size, self.strides, strict=True):
            length = ops.shape(x)[axis]
            windows = window.output_length(length, size, stride, "same")
            start = -window.overhang(length, size, stride, "same")
            x = window.frame(x, axis, start, (windows - 1) * stride + size)
        return ops.average_pool(x, self.pool_size, self.strides, "valid", self.data_format)

    def compute_output_shape(self, input_shape):
        return window.same_output_shape(self, input_shape)

    def get_config(self):
        names = ("pool_size", "strides", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
