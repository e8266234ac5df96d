"""Convolution that keeps the variance of its input."""

import math

import keras
from keras import ops

from zoo.layers.standardized_conv import StandardizedConv2D


@keras.saving.register_keras_serializable(package="zoo")
class ScaledStandardizedConv2D(StandardizedConv2D):
    """Standardised convolution that keeps the variance of what follows an activation: no normalisation is needed.

    The standardised kernel is multiplied by `scale / sqrt(inputs per output)` and by a learned gain for each filter.

    Args:
        filters, kernel_size: As in `keras.layers.Conv2D`; so are all others.
        scale: One over the standard deviation of the activation's outputs for normal inputs; 1.7872 for SiLU.
        epsilon: Added to the variance.

    Input shape: `(batch, height, width, channels)`; height and width may be unknown.
    Output shape: `(batch, new_height, new_width, filters)`.

    Raises:
        ValueError: An argument that Keras refuses, such as a `kernel_size` of 0, or the input does not have 4 axes.

    Reference: Brock et al., 2021, https://arxiv.org/abs/2101.08692, equation 5.

    Example:
        >>> import keras
        >>> from zoo.layers import ScaledStandardizedConv2D
        >>> keras.ops.shape(ScaledStandardizedConv2D(8, 3, padding="same")(keras.ops.ones((1, 4, 5, 3))))
        (1, 4, 5, 8)
    """

    def __init__(self, filters, kernel_size, *args, scale: float = 1.0, epsilon: float = 1e-6, **kwargs):
        super().__init__(filters, kernel_size, *args, epsilon=epsilon, **kwargs)
        self.scale = scale

    def build(self, input_shape):
        super().build(input_shape)
        self.gain = self.add_weight(name="gain", shape=(self.filters, 1, 1, 1), initializer="ones")  # as it is stored

    def standardize(self, kernel):
        gain = ops.reshape(ops.cast(self.gain, kernel.dtype), (1, 1, 1, -1))
        return super().standardize(kernel) * gain * (self.scale / math.sqrt(math.prod(kernel.shape[:3])))

    def save_own_variables(self, store):
        keras.layers.Layer.save_own_variables(self, store)  # a convolution's own saves kernel and bias alone

    def load_own_variables(self, store):
        keras.layers.Layer.load_own_variables(self, store)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}
