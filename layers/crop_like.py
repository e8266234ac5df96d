"""Cropping to the size of another tensor."""

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class CropLike(keras.layers.Layer):
    """Crop to the height and width of a second input, as skip connections of fully convolutional networks need.

    Args:
        offset: Rows and columns to leave out before the crop, an int or one int per axis; `None` crops the centre.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the Keras configuration.

    Input shape: A list of images `(batch, height, width, channels)`, any dtype, and of what has the wanted size,
        `(batch, new_height, new_width, any)`; all heights and widths may be unknown.
    Output shape: `(batch, new_height, new_width, channels)`, dtype and values unchanged.

    Raises:
        InputError: The inputs are not two tensors of 4 axes, the crop does not fit into the image, `offset` is
            negative, or `data_format` is unknown.

    Reference: Long et al., 2014, https://arxiv.org/abs/1411.4038, section 4.2 (the crop layers of its code).

    Example:
        >>> import keras
        >>> from zoo.layers import CropLike
        >>> keras.ops.shape(CropLike()([keras.ops.ones((1, 9, 8, 3)), keras.ops.ones((1, 7, 8, 5))]))
        (1, 7, 8, 3)
    """

    rank = 2

    def __init__(self, offset=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.offset = None if offset is None else window.integers(self, "offset", offset, minimum=0)
        self.data_format = window.data_format_or_default(self, data_format)

    def call(self, inputs):
        self._check([tuple(x.shape) for x in inputs])
        images, like = inputs
        sizes = window.spatial_shape(self, ops.shape(images))
        wanted = window.spatial_shape(self, ops.shape(like))
        index = [slice(None)] * (self.rank + 2)
        for number, axis in enumerate(window.spatial_axes(self)):
            first = (sizes[number] - wanted[number]) // 2 if self.offset is None else self.offset[number]
            index[axis] = slice(first, first + wanted[number])
        return images[tuple(index)]

    def _check(self, shapes):
        if len(shapes) != 2 or any(len(shape) != self.rank + 2 for shape in shapes):
            raise InputError(
                f"{type(self).__name__}: the inputs must be [images, like], each with {self.rank + 2} axes. "
                f"Received: {shapes}. Call the layer with a list."
            )
        sizes, wanted = (window.spatial_shape(self, shape) for shape in shapes)
        offset = self.offset or (0,) * self.rank
        if any(None not in (a, b) and a < b + o for a, b, o in zip(sizes, wanted, offset, strict=True)):
            raise InputError(
                f"{type(self).__name__}: a crop of {wanted} at offset={self.offset} does not fit into {sizes}. "
                f"Received: shapes {shapes}. Pad the images, or swap the inputs."
            )

    def compute_output_shape(self, input_shape):
        self._check([tuple(shape) for shape in input_shape])
        return window.replace_spatial(self, input_shape[0], window.spatial_shape(self, input_shape[1]))

    def get_config(self):
        return {**super().get_config(), "offset": self.offset, "data_format": self.data_format}


@keras.saving.register_keras_serializable(package="zoo")
class CropLike3D(CropLike):
    """`CropLike` for volumes, `(batch, depth, height, width, channels)`.

    Example:
        >>> import keras
        >>> from zoo.layers import CropLike3D
        >>> keras.ops.shape(CropLike3D()([keras.ops.ones((1, 4, 8, 8, 3)), keras.ops.ones((1, 3, 7, 8, 5))]))
        (1, 3, 7, 8, 3)
    """

    rank = 3
