"""Channel attention by a convolution over neighbouring channels."""

import keras
from keras import ops

from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class EfficientChannelAttention(keras.layers.Layer):
    """Scale each channel by a gate that sees the averages of the `kernel_size` channels around it.

    Args:
        kernel_size: Odd number of neighbouring channels. The paper's, for `c` channels: the odd number that
            `(log2(c) + 1) / 2` is nearest to, at least 3.
        gate: Activation between 0 and 1.
        data_format: `"channels_last"` or `"channels_first"`; None stands for Keras' setting.

    Input shape: `(batch, height, width, channels)`; height and width may be unknown.
    Output shape: the same.

    Raises:
        InputError: `data_format` is unknown.
        ValueError: The input does not have 4 axes, or Keras does not know the `gate`.

    Reference: Wang et al., 2020, https://arxiv.org/abs/1910.03151, equations 9 and 12.

    Example:
        >>> import keras
        >>> from zoo.layers import EfficientChannelAttention
        >>> keras.ops.shape(EfficientChannelAttention(3)(keras.ops.ones((1, 4, 5, 16))))
        (1, 4, 5, 16)
    """

    def __init__(self, kernel_size: int = 3, gate="sigmoid", data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.kernel_size = kernel_size
        self.gate = keras.activations.get(gate)
        self.data_format = window.data_format_or_default(self, data_format)
        self.rank = 2
        self.input_spec = keras.InputSpec(ndim=4)

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(self.kernel_size, 1, 1), initializer="he_normal")

    def call(self, inputs):
        means = ops.mean(inputs, axis=window.spatial_axes(self))  # (batch, channels)
        seen = ops.conv(means[..., None], self.kernel, padding="same", data_format="channels_last")
        scale = self.gate(seen)[..., 0]
        shape = (-1, 1, 1, means.shape[-1]) if self.data_format == "channels_last" else (-1, means.shape[-1], 1, 1)
        return inputs * ops.reshape(scale, shape)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "gate": keras.activations.serialize(self.gate),
            "data_format": self.data_format,
        }
