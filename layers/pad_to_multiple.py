"""Padding of images to sides that a network halves evenly."""

import keras
from keras import ops

from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class PadToMultiple2D(keras.layers.Layer):
    """Repeat the last row and column until both sides are multiples of a number.

    A network that halves its maps five times sees the pixels of an image of 360 rows at other places than those of one
    of 384: where a side is odd, strided convolutions pad it otherwise. Padded to a multiple of 32, an image of any size
    is seen as those that the network was trained on.

    Args:
        multiple: What the height and the width of the outputs are multiples of, at least 1.
        data_format: `"channels_last"` or `"channels_first"`; None stands for Keras' setting.

    Input shape: `(batch, height, width, channels)`, any dtype.
    Output shape: `(batch, height + bottom, width + right, channels)`, each side less than `multiple` larger.

    Raises:
        InputError: `multiple` is not a whole number from 1.

    Example:
        >>> import keras
        >>> from zoo.layers import PadToMultiple2D
        >>> keras.ops.shape(PadToMultiple2D(32)(keras.ops.ones((1, 360, 480, 3))))
        (1, 384, 480, 3)
    """

    def __init__(self, multiple, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.rank = 2
        self.multiple = window.integers(self, "multiple", multiple, minimum=1)[0]
        self.data_format = window.data_format_or_default(self, data_format)

    def call(self, inputs):
        x = inputs
        for axis in window.spatial_axes(self):
            if x.shape[axis] is not None and x.shape[axis] % self.multiple == 0:
                continue
            length = ops.shape(x)[axis]
            padded = -(-length // self.multiple) * self.multiple
            x = ops.take(x, ops.minimum(ops.arange(padded), length - 1), axis=axis)
        return x

    def compute_output_shape(self, input_shape):
        sides = [
            None if side is None else -(-side // self.multiple) * self.multiple
            for side in window.spatial_shape(self, input_shape)
        ]
        return window.replace_spatial(self, input_shape, tuple(sides))

    def get_config(self):
        return {**super().get_config(), "multiple": self.multiple, "data_format": self.data_format}
