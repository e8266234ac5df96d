"""Several maps of one shape as one, each with a learned weight."""

import keras
from keras import ops

from zoo.errors import InputError


@keras.saving.register_keras_serializable(package="zoo")
class FastNormalizedFusion(keras.layers.Layer):
    """A weighted mean of maps, whose weights are learned and never negative.

    `sum(w_i * x_i) / (epsilon + sum(w_i))`, where `w_i = relu(edge_weights_i)`: a softmax over the maps in effect, but
    faster.

    Args:
        epsilon: Added to the sum of the weights.

    Input shape: a list of maps of one shape, `(batch, ..., channels)`.
    Output shape: that shape. `edge_weights`, `(maps,)`, start at 1.

    Raises:
        InputError: There is one map only.

    Reference: Tan et al., 2020, https://arxiv.org/abs/1911.09070, section 3.3.

    Example:
        >>> import keras
        >>> from zoo.layers import FastNormalizedFusion
        >>> fused = FastNormalizedFusion()([keras.ops.ones((1, 2, 2, 8)), keras.ops.zeros((1, 2, 2, 8))])
        >>> float(keras.ops.convert_to_numpy(fused).max().round(3))
        0.5
    """

    def __init__(self, epsilon: float = 1e-4, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shapes):
        if not isinstance(input_shapes[0], list | tuple) or len(input_shapes) < 2:
            raise InputError(f"{self.name} fuses maps. Expected a list of two or more. Received: {input_shapes}.")
        self.edge_weights = self.add_weight(name="edge_weights", shape=(len(input_shapes),), initializer="ones")

    def call(self, inputs):
        weights = ops.relu(self.edge_weights)
        weights = weights / (ops.sum(weights) + self.epsilon)
        return sum(x * weights[index] for index, x in enumerate(inputs))

    def compute_output_shape(self, input_shapes):
        return input_shapes[0]

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
