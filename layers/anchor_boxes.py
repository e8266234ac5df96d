"""The boxes that a detector's places stand for."""

import keras
import numpy as np
from keras import ops

from zoo.errors import InputError


@keras.saving.register_keras_serializable(package="zoo")
class AnchorBoxes(keras.layers.Layer):
    """Boxes of fixed sizes around every place of a map, in pixels of the image that the map was made of.

    Args:
        sizes: Width and height of each box of a place, in pixels: `((32, 32), (23, 45), ...)`.
        offset: Where a place's centre lies in its cell: 0 for the upper left corner, as in torchvision's FPN; 0.5 for
            the middle, as in SSD.
        stride: Pixels of the image from a place to the next; None for the image's side divided by the map's, without a
            remainder, along each axis.

    Input shape: a list of the image, `(batch, height, width, channels)`, and the map, `(batch, rows, columns, ...)`.
    Output shape: `(rows * columns * len(sizes), 4)`, x1, y1, x2 and y2: a row after the other, of a place all boxes.

    Raises:
        InputError: `sizes` are not pairs.

    Reference: Ren et al., 2015, https://arxiv.org/abs/1506.01497, section 3.1.1.

    Example:
        >>> import keras
        >>> from zoo.layers import AnchorBoxes
        >>> image, places = keras.ops.zeros((1, 64, 64, 3)), keras.ops.zeros((1, 2, 2, 8))
        >>> keras.ops.convert_to_numpy(AnchorBoxes([(16, 8)])([image, places])).tolist()[1]
        [24.0, -4.0, 40.0, 4.0]
    """

    def __init__(self, sizes, offset: float = 0.0, stride: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.sizes = [[float(side) for side in np.atleast_1d(size)] for size in sizes]
        if any(len(size) != 2 for size in self.sizes):
            raise InputError(
                f"{type(self).__name__}: `sizes` must be pairs of a width and a height, in pixels. Received: {sizes!r}."
            )
        self.offset = offset
        self.stride = stride

    def call(self, inputs):
        image, places = inputs
        (rows, columns), (height, width) = ops.shape(places)[1:3], ops.shape(image)[1:3]
        y, x = self._centers(rows, height), self._centers(columns, width)
        half = ops.array(self.sizes, dtype="float32") / 2  # (boxes, 2)
        centers = ops.stack(ops.meshgrid(x, y), axis=-1)[:, :, None]  # (rows, columns, 1, 2)
        return ops.reshape(ops.concatenate([centers - half, centers + half], axis=-1), (-1, 4))

    def _centers(self, count, length):
        stride = length // count if self.stride is None else self.stride
        return (ops.cast(ops.arange(count), "float32") + self.offset) * ops.cast(stride, "float32")

    def compute_output_shape(self, input_shapes):
        rows, columns = input_shapes[1][1:3]
        return (None if None in (rows, columns) else rows * columns * len(self.sizes), 4)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(self.compute_output_shape([x.shape for x in inputs]), "float32")

    def get_config(self):
        return {**super().get_config(), "sizes": self.sizes, "offset": self.offset, "stride": self.stride}
