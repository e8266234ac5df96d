"""CoordConv: pixels that know where they are."""

import keras
from keras import ops

from zoo.layers import window


class _AddCoords(keras.layers.Layer):
    rank: int

    def __init__(self, with_r: bool = False, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.with_r = with_r
        self.data_format = window.data_format_or_default(self, data_format)
        self.input_spec = keras.InputSpec(ndim=self.rank + 2)

    def call(self, inputs):
        inputs = ops.cast(inputs, self.compute_dtype)
        batch, *sizes = (ops.shape(inputs)[axis] for axis in (0, *window.spatial_axes(self)))
        channels = [self._coordinate(axis, size) for axis, size in enumerate(sizes)]
        if self.with_r:
            channels.append(ops.sqrt(sum(ops.square(channel) for channel in channels)))
        # Float32 until here: bfloat16 cannot tell the pixels of a side longer than 256 apart.
        shape = (batch, *sizes, 1) if self.data_format == "channels_last" else (batch, 1, *sizes)
        coordinates = [ops.broadcast_to(ops.cast(channel, inputs.dtype), shape) for channel in channels]
        return ops.concatenate([inputs, *coordinates], axis=window.channel_axis(self))

    def _coordinate(self, axis, size):
        """Return -1 to 1 along `axis`, and 0 if that is one pixel, ready to be broadcast."""
        pixels = ops.cast(ops.arange(size, dtype="int32") * 2 - (size - 1), "float32")
        along = [1] * (self.rank + 2)
        along[window.spatial_axes(self)[axis]] = -1
        return ops.reshape(pixels, along) / ops.cast(ops.maximum(size - 1, 1), "float32")

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        shape[window.channel_axis(self)] += self.rank + self.with_r
        return tuple(shape)

    def get_config(self):
        return {**super().get_config(), "with_r": self.with_r, "data_format": self.data_format}


@keras.saving.register_keras_serializable(package="zoo")
class AddCoords1D(_AddCoords):
    """`AddCoords2D` for signals, `(batch, steps, channels)`: appends x, and |x| with `with_r`.

    Example:
        >>> import keras
        >>> from zoo.layers import AddCoords1D
        >>> keras.ops.shape(AddCoords1D()(keras.ops.ones((1, 8, 3))))
        (1, 8, 4)
    """

    rank = 1


@keras.saving.register_keras_serializable(package="zoo")
class AddCoords2D(_AddCoords):
    """Append the coordinates y and x of each pixel as channels, so that convolutions can tell places apart.

    Args:
        with_r: Also append r, the distance from the centre of the image: `sqrt(y**2 + x**2)`.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the Keras configuration.

    Input shape: `(batch, height, width, channels)`, any real dtype; height and width may be unknown.
    Output shape: `(batch, height, width, channels + 2)`, or `channels + 3` with r, of the compute dtype. y and x
        go from -1 (first row, first column) to 1; along a side of one pixel they are 0. r is within [0, sqrt(2)].

    Raises:
        InputError: `data_format` is unknown.
        ValueError: The input does not have 4 axes.

    Reference: Liu et al., 2018, https://arxiv.org/abs/1807.03247, section 3 and figure 3. The paper has no numbered
    equation for it; its code measures r from (0.5, 0.5), here it is measured from the centre.

    Example:
        >>> import keras
        >>> from zoo.layers import AddCoords2D
        >>> keras.ops.shape(AddCoords2D(with_r=True)(keras.ops.ones((1, 8, 6, 3))))
        (1, 8, 6, 6)
    """

    rank = 2


@keras.saving.register_keras_serializable(package="zoo")
class AddCoords3D(_AddCoords):
    """`AddCoords2D` for volumes, `(batch, depth, height, width, channels)`: appends z, y, x, and r.

    Example:
        >>> import keras
        >>> from zoo.layers import AddCoords3D
        >>> keras.ops.shape(AddCoords3D()(keras.ops.ones((1, 8, 6, 4, 3))))
        (1, 8, 6, 4, 6)
    """

    rank = 3
