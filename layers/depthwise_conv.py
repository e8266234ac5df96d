"""Depthwise convolution with the variance of one channel."""

import math

import keras

from zoo.errors import InputError


@keras.saving.register_keras_serializable(package="zoo")
class GlorotUniformPerChannel(keras.initializers.Initializer):
    """Glorot's uniform initialiser for depthwise kernels, `(*kernel_size, channels, depth_multiplier)`.

    Each channel is convolved by itself: fan-in is `prod(kernel_size)` and fan-out `depth_multiplier` times that.
    Keras counts all channels in both, which shrinks the outputs by the square root of their number.

    Args:
        seed: Int, `keras.random.SeedGenerator` or None.

    Raises:
        InputError: The shape is not that of a convolution kernel.

    Reference: Glorot and Bengio, 2010, https://proceedings.mlr.press/v9/glorot10a.html, equation 16.

    Example:
        >>> import keras
        >>> from zoo.layers import GlorotUniformPerChannel
        >>> keras.ops.shape(GlorotUniformPerChannel(seed=0)((3, 3, 16, 1)))
        (3, 3, 16, 1)
    """

    def __init__(self, seed=None):
        self.seed = seed

    def __call__(self, shape, dtype=None):
        if len(shape) < 3:
            raise InputError(
                f"{type(self).__name__}: the kernel must have shape (*kernel_size, channels, depth_multiplier). "
                f"Received: shape={tuple(shape)}. Use it as the `depthwise_initializer` of a DepthwiseConv2D."
            )
        *kernel_size, _, multiplier = shape
        fan_in = math.prod(kernel_size)
        limit = math.sqrt(6 / (fan_in + fan_in * multiplier))
        return keras.initializers.RandomUniform(-limit, limit, self.seed)(shape, dtype)

    def get_config(self):
        return {"seed": keras.saving.serialize_keras_object(self.seed)}


@keras.saving.register_keras_serializable(package="zoo")
class DepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """Keras' own, but initialised with the fan-in of one channel.

    Followed by a 1x1 `Conv2D` it equals `SeparableConv2D`; apart, there is room for a normalisation between them.

    Args:
        kernel_size, depthwise_initializer: As in `keras.layers.DepthwiseConv2D`; so are all others.
            `depthwise_initializer` is `GlorotUniformPerChannel()` by default.

    Input shape: `(batch, height, width, channels)`, any float; height and width may be unknown.
    Output shape: `(batch, new_height, new_width, channels * depth_multiplier)`, of the compute dtype.

    Raises:
        ValueError: An argument that Keras refuses, such as a `kernel_size` of 0, or the input does not have 4 axes.

    Reference: Chollet, 2016, https://arxiv.org/abs/1610.02357, section 2, and `GlorotUniformPerChannel`.

    Example:
        >>> import keras
        >>> from zoo.layers import DepthwiseConv2D
        >>> keras.ops.shape(DepthwiseConv2D(3, padding="same")(keras.ops.ones((1, 8, 6, 16))))
        (1, 8, 6, 16)
    """

    def __init__(self, kernel_size, *args, depthwise_initializer=None, **kwargs):
        if depthwise_initializer is None:
            depthwise_initializer = GlorotUniformPerChannel()
        super().__init__(kernel_size, *args, depthwise_initializer=depthwise_initializer, **kwargs)
