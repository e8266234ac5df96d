"""Pooling by attention to positions."""

import keras
from keras import ops

from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class GlobalContextPooling2D(keras.layers.Layer):
    """Average a map over its positions, weighted by the softmax of a second map: global pooling that looks somewhere.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; None stands for Keras' setting.

    Input shape: a list of the map, `(batch, height, width, channels)`, and one number per position,
    `(batch, height, width, 1)`.
    Output shape: `(batch, 1, 1, channels)`.

    Raises:
        InputError: `data_format` is unknown.

    Reference: Cao et al., 2019, https://arxiv.org/abs/1904.11492, figure 4d, "context modeling".

    Example:
        >>> import keras
        >>> from zoo.layers import GlobalContextPooling2D
        >>> keras.ops.shape(GlobalContextPooling2D()([keras.ops.ones((1, 4, 5, 8)), keras.ops.ones((1, 4, 5, 1))]))
        (1, 1, 1, 8)
    """

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = window.data_format_or_default(self, data_format)
        self.rank = 2

    def call(self, inputs):
        x, logits = inputs
        axes = window.spatial_axes(self)
        logits = ops.cast(logits, "float32")
        weights = ops.exp(logits - ops.max(logits, axis=axes, keepdims=True))
        weights = weights / ops.sum(weights, axis=axes, keepdims=True)
        return ops.sum(x * ops.cast(weights, x.dtype), axis=axes, keepdims=True)

    def compute_output_shape(self, input_shape):
        shape = list(input_shape[0])
        for axis in window.spatial_axes(self):
            shape[axis] = 1
        return tuple(shape)

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}
