"""Feature vectors of one length."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class ScaledUnitNormalization(keras.layers.Layer):
    """Divide the vector of channels at each place by its length, and multiply each channel by a learned factor.

    So maps of a network's early layers, whose numbers are large, can stand beside later ones.

    Args:
        initial_value: What every factor is before training.

    Input shape: `(batch, ..., channels)`, any rank of at least 2.
    Output shape: the same.

    Reference: Liu et al., 2015, https://arxiv.org/abs/1506.04579, section 3.3; the factors, `scale_weight`, are called
    as in torchvision's SSD.

    Example:
        >>> import keras
        >>> from zoo.layers import ScaledUnitNormalization
        >>> keras.ops.convert_to_numpy(ScaledUnitNormalization(10)(keras.ops.array([[3.0, 4.0]]))).round().tolist()
        [[6.0, 8.0]]
    """

    def __init__(self, initial_value: float = 20.0, **kwargs):
        super().__init__(**kwargs)
        self.initial_value = initial_value

    def build(self, input_shape):
        initializer = keras.initializers.Constant(self.initial_value)
        self.scale_weight = self.add_weight(name="scale_weight", shape=(input_shape[-1],), initializer=initializer)

    def call(self, inputs):
        length = ops.sqrt(ops.sum(ops.square(inputs), axis=-1, keepdims=True))
        return inputs / ops.maximum(length, 1e-12) * self.scale_weight

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "initial_value": self.initial_value}
