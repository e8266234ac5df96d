"""Normalisation and activation found together by a search."""

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class EvoNorm2D(keras.layers.Layer):
    """EvoNorm-S0: a gate that is steeper or flatter per channel, over the deviation of a group; not of the batch.

    `x * sigmoid(v * x) / sqrt(variance of the group + epsilon) * gamma + beta`

    Args:
        groups: Number of groups of channels whose deviation is shared.
        epsilon: Added to the variance.
        gate: Whether to activate; without the gate the rest of the formula is left.
        data_format: `"channels_last"` or `"channels_first"`; None stands for Keras' setting.

    Input shape: `(batch, height, width, channels)`; height and width may be unknown.
    Output shape: the same.

    Raises:
        InputError: `groups` do not divide the channels, or `data_format` is unknown.
        ValueError: The input does not have 4 axes.

    Reference: Liu et al., 2020, https://arxiv.org/abs/2004.02967, table 2.

    Example:
        >>> import keras
        >>> from zoo.layers import EvoNorm2D
        >>> keras.ops.shape(EvoNorm2D(groups=4)(keras.ops.ones((1, 4, 5, 16))))
        (1, 4, 5, 16)
    """

    def __init__(self, groups: int = 32, epsilon: float = 1e-5, gate: bool = True, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.groups = groups
        self.epsilon = epsilon
        self.gate = gate
        self.data_format = window.data_format_or_default(self, data_format)
        self.rank = 2
        self.input_spec = keras.InputSpec(ndim=4)

    def build(self, input_shape):
        channels = input_shape[window.channel_axis(self)]
        if self.groups < 1 or (channels or 0) % self.groups:
            raise InputError(
                f"{type(self).__name__}: `groups` must divide the {channels} channels. Received: groups={self.groups}."
            )
        shape = (channels,)
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones")
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros")
        if self.gate:
            self.v = self.add_weight(name="v", shape=shape, initializer="ones")

    def call(self, inputs):
        x = window.channels_last(self, inputs)
        _, height, width, channels = ops.shape(x)
        grouped = ops.reshape(ops.cast(x, "float32"), (-1, height, width, self.groups, channels // self.groups))
        variance = ops.var(grouped, axis=(1, 2, 4), keepdims=True)
        per_channel = ops.repeat(ops.reshape(variance, (-1, self.groups)), channels // self.groups, axis=-1)
        scale = ops.cast(ops.rsqrt(per_channel + self.epsilon), x.dtype)[:, None, None, :]
        if self.gate:
            x = x * ops.sigmoid(self.v * x)
        return window.channels_back(self, x * scale * self.gamma + self.beta)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        names = ("groups", "epsilon", "gate", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
