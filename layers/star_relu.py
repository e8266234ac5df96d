"""A squared activation with its own scale and bias."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class StarReLU(keras.layers.Layer):
    """`scale * relu(x)**2 + bias`, with one learned scale and one learned bias for all channels.

    Their initial values give outputs of mean 0 and variance 1 for normal inputs. Cheaper than GELU.

    Args:
        scale_value, bias_value: What the two are before training.
        use_bias: Whether there is a bias.

    Input shape: any.
    Output shape: the same.

    Reference: Yu et al., 2022, https://arxiv.org/abs/2210.13452, equation 7.

    Example:
        >>> import keras
        >>> from zoo.layers import StarReLU
        >>> keras.ops.convert_to_numpy(StarReLU(1.0, 0.5)(keras.ops.array([[-3.0, 2.0]]))).tolist()
        [[0.5, 4.5]]
    """

    def __init__(self, scale_value: float = 0.8944, bias_value: float = -0.4472, use_bias: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.scale_value = scale_value
        self.bias_value = bias_value
        self.use_bias = use_bias

    def build(self, input_shape):
        constant = keras.initializers.Constant
        self.scale = self.add_weight(name="scale", shape=(1,), initializer=constant(self.scale_value))
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(1,), initializer=constant(self.bias_value))

    def call(self, inputs):
        outputs = self.scale * ops.square(ops.relu(inputs))
        return outputs + self.bias if self.use_bias else outputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = {"scale_value": self.scale_value, "bias_value": self.bias_value, "use_bias": self.use_bias}
        return {**super().get_config(), **config}
