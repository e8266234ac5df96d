"""Padding of images to sides that a network halves evenly."""

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class PadToMultiple2D(keras.layers.Layer):
    """Repeat the last row and column, or a number, until both sides are multiples of a number.

    A network that halves its maps five times sees the pixels of an image of 360 rows at other places than those of one
    of 384: where a side is odd, strided convolutions pad it otherwise. Padded to a multiple of 32, an image of any size
    is seen as those that the network was trained on.

    Args:
        multiple: What the height and the width of the outputs are multiples of, at least 1.
        value: What is repeated; None for the last row and column.
        data_format: `"channels_last"` or `"channels_first"`; None stands for Keras' setting.

    Input shape: `(batch, height, width, channels)`, any dtype.
    Output shape: `(batch, height + bottom, width + right, channels)`, each side less than `multiple` larger.

    Raises:
        InputError: `multiple` is not an int of at least 1, or `data_format` is unknown.

    Reference: ours; with a `value` of 0, `batch_images` of torchvision's detectors for one image, in
    https://github.com/pytorch/vision/blob/main/torchvision/models/detection/transform.py.

    Example:
        >>> import keras
        >>> from zoo.layers import PadToMultiple2D
        >>> keras.ops.shape(PadToMultiple2D(32)(keras.ops.ones((1, 360, 480, 3))))
        (1, 384, 480, 3)
    """

    def __init__(self, multiple, value=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.value = value
        self.rank = 2
        if not isinstance(multiple, int) or multiple < 1:
            raise InputError(
                f"{type(self).__name__}: `multiple` must be an int of at least 1. Received: multiple={multiple!r}. "
                "Height and width are padded to the same."
            )
        self.multiple = multiple
        self.data_format = window.data_format_or_default(self, data_format)

    def call(self, inputs):
        x = inputs
        for axis in window.spatial_axes(self):
            if x.shape[axis] is not None and x.shape[axis] % self.multiple == 0:
                continue
            length = ops.shape(x)[axis]
            # Of positive numbers: ONNX divides negative ones towards zero, and the image would be cut off.
            padded = (length + self.multiple - 1) // self.multiple * self.multiple
            place = ops.arange(padded)
            x = ops.take(x, ops.minimum(place, length - 1), axis=axis)
            if self.value is not None:
                inside = ops.reshape(place < length, [-1 if other == axis else 1 for other in range(len(x.shape))])
                x = ops.where(inside, x, ops.cast(self.value, x.dtype))
        return x

    def compute_output_shape(self, input_shape):
        sides = [
            None if side is None else -(-side // self.multiple) * self.multiple
            for side in window.spatial_shape(self, input_shape)
        ]
        return window.replace_spatial(self, input_shape, tuple(sides))

    def get_config(self):
        return {**super().get_config(), "multiple": self.multiple, "value": self.value, "data_format": self.data_format}
