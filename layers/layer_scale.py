"""A learned factor for each channel of a residual branch."""

import keras


@keras.saving.register_keras_serializable(package="zoo")
class LayerScale(keras.layers.Layer):
    """Multiply each channel by a learned factor that starts close to zero: a deep residual network starts shallow.

    Args:
        initial_value: What every factor is before training.
        use_bias: Whether to add a learned bias to each channel then.

    Input shape: `(batch, ..., channels)`, any rank of at least 2.
    Output shape: the same.

    Reference: Touvron et al., 2021, https://arxiv.org/abs/2103.17239, equation 4.

    Example:
        >>> import keras
        >>> from zoo.layers import LayerScale
        >>> float(keras.ops.convert_to_numpy(LayerScale(0.5)(keras.ops.ones((1, 4, 4, 3)))).max())
        0.5
    """

    def __init__(self, initial_value: float = 1e-6, use_bias: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.initial_value = initial_value
        self.use_bias = use_bias

    def build(self, input_shape):
        initializer = keras.initializers.Constant(self.initial_value)
        self.gamma = self.add_weight(name="gamma", shape=(input_shape[-1],), initializer=initializer)
        if self.use_bias:
            self.beta = self.add_weight(name="beta", shape=(input_shape[-1],), initializer="zeros")

    def call(self, inputs):
        return inputs * self.gamma + self.beta if self.use_bias else inputs * self.gamma

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "initial_value": self.initial_value, "use_bias": self.use_bias}
