"""Convolution whose kernel is mixed anew for each image."""

import math

import keras
from keras import ops

from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class ConditionalConv2D(keras.layers.Layer):
    """Convolution with a mixture of kernels, the experts, whose shares a second input says for each image.

    A mixture of kernels gives the same as the mixture of what each gives, which is how it is computed where the kernel
    is larger than 1x1; there the kernels are mixed first, once per image.

    Args:
        filters: Number of output channels; None for a depthwise convolution, which has one filter per channel.
        kernel_size: Int, height and width of the kernels.
        experts: Number of kernels.
        strides: Int, for both axes.
        padding: `"same"` or `"valid"`.
        data_format: `"channels_last"` or `"channels_first"`; None stands for Keras' setting.

    Input shape: a list of the map, `(batch, height, width, channels)`, and the shares, `(batch, experts)`.
    Output shape: `(batch, new_height, new_width, filters)`.

    Raises:
        InputError: `padding` or `data_format` is unknown.

    Reference: Yang et al., 2019, https://arxiv.org/abs/1904.04971, equation 1.

    Example:
        >>> import keras
        >>> from zoo.layers import ConditionalConv2D
        >>> x, shares = keras.ops.ones((2, 4, 5, 3)), keras.ops.ones((2, 4)) / 4
        >>> keras.ops.shape(ConditionalConv2D(8, 3, experts=4)([x, shares]))
        (2, 4, 5, 8)
    """

    def __init__(
        self, filters, kernel_size, *, experts, strides: int = 1, padding: str = "same", data_format=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.experts = experts
        self.strides = strides
        self.padding = window.choice(self, "padding", padding, ("same", "valid"))
        self.data_format = window.data_format_or_default(self, data_format)
        self.rank = 2

    def build(self, input_shapes):
        channels = input_shapes[0][window.channel_axis(self)]
        outputs, inputs = (channels, 1) if self.filters is None else (self.filters, channels)
        self._stored = (self.experts, outputs, inputs, self.kernel_size, self.kernel_size)
        deviation = math.sqrt(2 / math.prod(self._stored[2:]))
        self.weight = self.add_weight(  # flat, as it is stored
            name="weight",
            shape=(self.experts, math.prod(self._stored[1:])),
            initializer=keras.initializers.RandomNormal(stddev=deviation),
        )

    def call(self, inputs):
        x, shares = inputs
        x = window.channels_last(self, x)
        experts, outputs, width, size, _ = self._stored
        if size == 1 and self.filters is not None:
            return window.channels_back(self, self._mix_first(x, shares))
        kernels = ops.reshape(self.weight, self._stored)
        options = {"strides": self.strides, "padding": self.padding, "data_format": "channels_last"}
        if self.filters is None:  # (size, size, channels, experts)
            y = ops.depthwise_conv(x, ops.transpose(kernels[:, :, 0], (2, 3, 1, 0)), **options)
        else:
            kernel = ops.reshape(ops.transpose(kernels, (3, 4, 2, 1, 0)), (size, size, width, outputs * experts))
            y = ops.conv(x, kernel, **options)
        _, height, width, _ = ops.shape(y)
        y = ops.reshape(y, (-1, height, width, outputs, experts))
        return window.channels_back(self, ops.sum(y * shares[:, None, None, None, :], axis=-1))

    def _mix_first(self, x, shares):
        _, outputs, width, _, _ = self._stored
        x = x[:, :: self.strides, :: self.strides]
        kernels = ops.reshape(ops.matmul(shares, self.weight), (-1, outputs, width))
        _, height, breadth, _ = ops.shape(x)
        y = ops.matmul(ops.reshape(x, (-1, height * breadth, width)), ops.transpose(kernels, (0, 2, 1)))
        return ops.reshape(y, (-1, height, breadth, outputs))

    def compute_output_shape(self, input_shapes):
        shape = input_shapes[0]
        sizes = (
            window.output_length(size, self.kernel_size, self.strides, self.padding) if size is not None else None
            for size in window.spatial_shape(self, shape)
        )
        replaced = list(window.replace_spatial(self, shape, sizes))
        replaced[window.channel_axis(self)] = self.filters or shape[window.channel_axis(self)]
        return tuple(replaced)

    def get_config(self):
        names = ("filters", "kernel_size", "experts", "strides", "padding", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
