"""Repetition of pixels up to the size of another map."""

import keras
from keras import ops

from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class NearestLike2D(keras.layers.Layer):
    """Resize a map to the height and width of a second one, by repeating pixels.

    Row `i` of `height` is row `floor(i * rows / height)`, as in PyTorch's `interpolate(mode="nearest")`; other resizers
    count from the centres of pixels, which differs where the sizes are not multiples.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; None stands for Keras' setting.

    Input shape: a list of the map, `(batch, rows, columns, channels)`, and the other, `(batch, height, width, ...)`.
    Output shape: `(batch, height, width, channels)`.

    Raises:
        InputError: `data_format` is unknown.

    Reference: PyTorch's `interpolate`, https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html.

    Example:
        >>> import keras
        >>> from zoo.layers import NearestLike2D
        >>> keras.ops.shape(NearestLike2D()([keras.ops.ones((1, 2, 3, 8)), keras.ops.ones((1, 5, 6, 1))]))
        (1, 5, 6, 8)
    """

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = window.data_format_or_default(self, data_format)
        self.rank = 2

    def call(self, inputs):
        x, like = inputs
        for axis in window.spatial_axes(self):
            length, size = ops.shape(x)[axis], ops.shape(like)[axis]
            x = ops.take(x, ops.arange(size) * length // size, axis=axis)
        return x

    def compute_output_shape(self, input_shapes):
        return window.replace_spatial(self, input_shapes[0], window.spatial_shape(self, input_shapes[1]))

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}
