"""A learned factor for a residual branch."""

import keras


@keras.saving.register_keras_serializable(package="zoo")
class SkipInit(keras.layers.Layer):
    """Multiply a residual branch by one learned number that starts at zero: the network starts as if it had no branch.

    Input shape: any.
    Output shape: the same.

    Reference: De and Smith, 2020, https://arxiv.org/abs/2002.10444, section 3.

    Example:
        >>> import keras
        >>> from zoo.layers import SkipInit
        >>> float(keras.ops.convert_to_numpy(SkipInit()(keras.ops.ones((1, 4, 4, 3)))).max())
        0.0
    """

    def build(self, input_shape):
        self.skipinit_gain = self.add_weight(name="skipinit_gain", shape=(), initializer="zeros")

    def call(self, inputs):
        return self.skipinit_gain * inputs

    def compute_output_shape(self, input_shape):
        return input_shape
