"""Division by the standard deviation over the channels."""

import keras
from keras import ops

from zoo.errors import InputError


@keras.saving.register_keras_serializable(package="zoo")
class SimpleNorm(keras.layers.Layer):
    """Divide by the standard deviation over the channels, without subtracting the mean, and scale each channel.

    `x * gamma / sqrt(variance + epsilon)`, with the unbiased variance (the sum of squares over `channels - 1`).

    Args:
        epsilon: Added to the variance.

    Input shape: `(batch, ..., channels)`, at least 2 channels.
    Output shape: the same.

    Raises:
        InputError: There is one channel only.

    Reference: timm's `SimpleNorm`, in https://github.com/huggingface/pytorch-image-models/blob/main/timm/layers/norm.py,
    with which its `convnext_zepto_rms` weights were trained; despite their name not with the root of the mean square.

    Example:
        >>> import keras
        >>> from zoo.layers import SimpleNorm
        >>> keras.ops.convert_to_numpy(SimpleNorm()(keras.ops.array([[1.0, 3.0]]))).round(2).astype(str).tolist()
        [['0.71', '2.12']]
    """

    def __init__(self, epsilon: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        if input_shape[-1] == 1:
            raise InputError(
                f"{type(self).__name__}: one channel has no deviation. Expected at least 2. Received: {input_shape}."
            )
        self.gamma = self.add_weight(name="gamma", shape=(input_shape[-1],), initializer="ones")

    def call(self, inputs):
        channels = inputs.shape[-1]
        variance = ops.var(ops.cast(inputs, "float32"), axis=-1, keepdims=True) * (channels / (channels - 1))
        return inputs * ops.cast(ops.rsqrt(variance + self.epsilon), inputs.dtype) * self.gamma

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
