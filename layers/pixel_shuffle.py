"""Sub-pixel upsampling."""

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class PixelShuffle2D(keras.layers.Layer):
    """Rearrange groups of `size * size` channels into squares of pixels.

    Args:
        size: Factor by which height and width grow.
        channel_order: Where the position inside the square stands among the input's channels. `"tensorflow"`:
            first, `(row, column, channel)`, as `depth_to_space`; `"pytorch"`: last, `(channel, row, column)`,
            as `torch.nn.PixelShuffle`, for converted checkpoints.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the Keras configuration.

    Input shape: `(batch, height, width, channels * size**2)`, any dtype; height and width may be unknown.
    Output shape: `(batch, height * size, width * size, channels)`, the same dtype and values.

    Raises:
        InputError: `size` is below 1, `channel_order` is unknown, or the channels are not a multiple of `size**2`.
        ValueError: The input does not have 4 axes.

    Reference: Shi et al., 2016, https://arxiv.org/abs/1609.05158, equation 4 (the order `"tensorflow"`).

    Example:
        >>> import keras
        >>> from zoo.layers import PixelShuffle2D
        >>> keras.ops.shape(PixelShuffle2D(size=3)(keras.ops.ones((1, 4, 5, 18))))
        (1, 12, 15, 2)
    """

    rank = 2

    def __init__(self, size: int = 2, channel_order: str = "tensorflow", data_format=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(size, int) or size < 1:
            raise InputError(
                f"{type(self).__name__}: `size` must be an int of at least 1. Received: size={size!r}. "
                "Height and width grow by the same factor."
            )
        self.size = size
        self.channel_order = window.choice(self, "channel_order", channel_order, ("tensorflow", "pytorch"))
        self.data_format = window.data_format_or_default(self, data_format)
        self.input_spec = keras.InputSpec(ndim=4)

    def call(self, inputs):
        batch, *rest = ops.shape(inputs)
        size, channels = self.size, self.compute_output_shape(inputs.shape)[window.channel_axis(self)]
        split = (size, size, channels) if self.channel_order == "tensorflow" else (channels, size, size)
        if self.data_format == "channels_last":
            height, width, _ = rest
            order = (0, 1, 3, 2, 4, 5) if self.channel_order == "tensorflow" else (0, 1, 4, 2, 5, 3)
            x = ops.reshape(inputs, (batch, height, width, *split))
            return ops.reshape(ops.transpose(x, order), (batch, height * size, width * size, channels))
        _, height, width = rest
        order = (0, 3, 4, 1, 5, 2) if self.channel_order == "tensorflow" else (0, 1, 4, 2, 5, 3)
        x = ops.reshape(inputs, (batch, *split, height, width))
        return ops.reshape(ops.transpose(x, order), (batch, channels, height * size, width * size))

    def compute_output_shape(self, input_shape):
        channel_axis = window.channel_axis(self)
        sizes = [None if size is None else size * self.size for size in window.spatial_shape(self, input_shape)]
        shape = list(window.replace_spatial(self, input_shape, sizes))
        if shape[channel_axis] % self.size**2:
            raise InputError(
                f"{type(self).__name__}: the channels must be a multiple of size**2 = {self.size**2}. "
                f"Received: shape={tuple(input_shape)}, data_format={self.data_format!r}. "
                "Give the convolution before it `channels * size**2` filters."
            )
        shape[channel_axis] //= self.size**2
        return tuple(shape)

    def get_config(self):
        names = ("size", "channel_order", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
