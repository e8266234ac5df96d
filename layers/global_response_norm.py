"""Competition between the channels of a feature map."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class GlobalResponseNorm(keras.layers.Layer):
    """Amplify the channels that respond more strongly than the others, over the whole map.

    `x + gamma * x * response + beta`, where `response` is a channel's Euclidean norm over the map, divided by the mean
    of these norms over the channels.

    Args:
        epsilon: Added to that mean.

    Input shape: `(batch, ..., channels)`, any number of spatial axes.
    Output shape: the same. `gamma` and `beta` start at zero, so the layer starts as the identity.

    Reference: Woo et al., 2023, https://arxiv.org/abs/2301.00808, algorithm 1.

    Example:
        >>> import keras
        >>> from zoo.layers import GlobalResponseNorm
        >>> keras.ops.shape(GlobalResponseNorm()(keras.ops.ones((1, 4, 5, 3))))
        (1, 4, 5, 3)
    """

    def __init__(self, epsilon: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        self.gamma = self.add_weight(name="gamma", shape=(input_shape[-1],), initializer="zeros")
        self.beta = self.add_weight(name="beta", shape=(input_shape[-1],), initializer="zeros")

    def call(self, inputs):
        space = tuple(range(1, len(inputs.shape) - 1))
        squares = ops.square(ops.cast(inputs, "float32"))  # their sum overflows half precision
        # The root's slope is infinite at 0: a map of zeros would give gradients that are not numbers.
        norm = ops.sqrt(ops.sum(squares, axis=space, keepdims=True) + 1e-12)
        response = norm / (ops.mean(norm, axis=-1, keepdims=True) + self.epsilon)
        return inputs + inputs * (self.gamma * ops.cast(response, inputs.dtype)) + self.beta

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
