"""One learned scale and one learned bias for a whole map."""

import keras


@keras.saving.register_keras_serializable(package="zoo")
class LearnableAffine(keras.layers.Layer):
    """`scale * x + bias`, with one number each for all channels; after an activation it widens what that can say.

    Input shape: any.
    Output shape: the same.

    Reference: Cui et al., 2021, https://arxiv.org/abs/2109.15099, and PP-HGNetV2 of PaddleClas, where it follows ReLU.

    Example:
        >>> import keras
        >>> from zoo.layers import LearnableAffine
        >>> float(keras.ops.convert_to_numpy(LearnableAffine()(keras.ops.ones((1, 4, 4, 3)))).max())
        1.0
    """

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(1,), initializer="ones")
        self.bias = self.add_weight(name="bias", shape=(1,), initializer="zeros")

    def call(self, inputs):
        return self.scale * inputs + self.bias

    def compute_output_shape(self, input_shape):
        return input_shape
