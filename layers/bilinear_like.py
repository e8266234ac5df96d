"""Bilinear interpolation up or down to the size of another map."""

import keras
from keras import ops

from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class BilinearLike2D(keras.layers.Layer):
    """Resize a map to the height and width of a second one, linear between its pixels.

    As PyTorch's `interpolate(mode="bilinear")`, and without anti-aliasing where it makes a map smaller.

    Args:
        align_corners: True where the middles of the corner pixels stay corners; False where the edges of the maps
            coincide, with constant values beyond the outer pixels.
        data_format: `"channels_last"` or `"channels_first"`; None stands for Keras' setting.

    Input shape: a list of the map, `(batch, rows, columns, channels)`, float, and the other, `(batch, height, width,
        ...)`; all heights and widths may be unknown.
    Output shape: `(batch, height, width, channels)`, within the range of the map.

    Raises:
        InputError: `data_format` is unknown.

    Reference: PyTorch's `interpolate`, https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html.

    Example:
        >>> import keras
        >>> from zoo.layers import BilinearLike2D
        >>> row = keras.ops.reshape(keras.ops.array([0.0, 4.0]), (1, 1, 2, 1))
        >>> resized = BilinearLike2D(align_corners=True)([row, keras.ops.ones((1, 1, 5, 1))])
        >>> keras.ops.convert_to_numpy(resized)[0, 0, :, 0].tolist()
        [0.0, 1.0, 2.0, 3.0, 4.0]
    """

    def __init__(self, align_corners: bool = False, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.align_corners = align_corners
        self.data_format = window.data_format_or_default(self, data_format)
        self.rank = 2

    def call(self, inputs):
        x, like = inputs
        for axis in window.spatial_axes(self):
            x = self._resize(x, ops.shape(like)[axis], axis)
        return x

    def _resize(self, x, size, axis):
        length = ops.shape(x)[axis]
        numerator, denominator = self._positions(size, length)
        first = numerator // denominator
        share = ops.cast(numerator % denominator, "float32") / ops.cast(denominator, "float32")
        share = ops.reshape(ops.cast(share, x.dtype), [-1 if other == axis else 1 for other in range(len(x.shape))])
        second = ops.minimum(first + 1, length - 1)
        return (1 - share) * ops.take(x, first, axis=axis) + share * ops.take(x, second, axis=axis)

    def _positions(self, size, length):
        """Where each pixel that comes out lies among those of the map, as fractions of integers: no rounding."""
        place = ops.arange(size, dtype="int32")
        if self.align_corners:
            return place * (length - 1), ops.maximum(size - 1, 1)
        return ops.clip((2 * place + 1) * length - size, 0, 2 * size * (length - 1)), 2 * size

    def compute_output_shape(self, input_shapes):
        return window.replace_spatial(self, input_shapes[0], window.spatial_shape(self, input_shapes[1]))

    def get_config(self):
        return {**super().get_config(), "align_corners": self.align_corners, "data_format": self.data_format}
