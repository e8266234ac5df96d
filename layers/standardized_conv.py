"""Convolution with a standardised kernel."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class StandardizedConv2D(keras.layers.Conv2D):
    """Convolution whose kernel has, for each filter, mean 0 and variance 1, whatever the optimiser makes of it.

    With group normalisation it trains as well in small batches as batch normalisation does in large ones.

    Args:
        filters, kernel_size: As in `keras.layers.Conv2D`; so are all others.
        epsilon: Added to the variance.

    Input shape: `(batch, height, width, channels)`; height and width may be unknown.
    Output shape: `(batch, new_height, new_width, filters)`.

    Raises:
        ValueError: An argument that Keras refuses, such as a `kernel_size` of 0, or the input does not have 4 axes.

    Reference: Qiao et al., 2019, https://arxiv.org/abs/1903.10520, equations 5 to 7.

    Example:
        >>> import keras
        >>> from zoo.layers import StandardizedConv2D
        >>> keras.ops.shape(StandardizedConv2D(8, 3, padding="same")(keras.ops.ones((1, 4, 5, 3))))
        (1, 4, 5, 8)
    """

    def __init__(self, filters, kernel_size, *args, epsilon: float = 1e-6, **kwargs):
        super().__init__(filters, kernel_size, *args, **kwargs)
        self.epsilon = epsilon

    def convolution_op(self, inputs, kernel):
        return super().convolution_op(inputs, ops.cast(self.standardize(ops.cast(kernel, "float32")), kernel.dtype))

    def standardize(self, kernel):
        """The kernel that is convolved with, `(height, width, channels, filters)`."""
        mean, variance = ops.moments(kernel, axes=(0, 1, 2), keepdims=True)
        return (kernel - mean) * ops.rsqrt(variance + self.epsilon)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
