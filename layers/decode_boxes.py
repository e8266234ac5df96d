"""From what a detector's head gives to boxes in the image."""

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers import window
from zoo.layers.box_geometry import MOST_ENLARGED, corners, decode_distances, decode_offsets


@keras.saving.register_keras_serializable(package="zoo")
class DecodeBoxes(keras.layers.Layer):
    """Boxes from their anchors and what the network gives for each, inside of the image.

    Args:
        code: `"offsets"`, shifts of the anchor's centre and logarithms of its enlargement, or `"distances"`, from the
            anchor's centre to the four sides, in its sizes: `zoo.layers.box_geometry` has both.
        scales: What the offsets of x, y, width and height are divided by.
        is_bounded: Whether an anchor is enlarged by 62.5 at most.
        clip: Whether boxes end at the image's border.

    Input shape: a list of codes, `(batch, places, 4)`, anchors, `(places, 4)`, and the image, `(batch, height, width,
    channels)`.
    Output shape: `(batch, places, 4)`, float32: x1, y1, x2 and y2 in pixels of the image.

    Raises:
        InputError: `code` is unknown, or `scales` are not four.

    Reference: Ren et al., 2015, https://arxiv.org/abs/1506.01497, equation 2 (offsets); Tian et al., 2019,
    https://arxiv.org/abs/1904.01355, equation 1 (distances). The bound is that of torchvision's `BoxCoder`.

    Example:
        >>> import keras
        >>> from zoo.layers import DecodeBoxes
        >>> codes, anchors = keras.ops.zeros((1, 1, 4)), keras.ops.array([[-4.0, 2, 8, 6]])
        >>> keras.ops.convert_to_numpy(DecodeBoxes()([codes, anchors, keras.ops.zeros((1, 5, 9, 3))])).tolist()
        [[[0.0, 2.0, 8.0, 5.0]]]
    """

    def __init__(self, code: str = "offsets", scales=(1.0, 1.0, 1.0, 1.0), is_bounded=True, clip=True, **kwargs):
        super().__init__(**kwargs)
        self.code = window.choice(self, "code", code, ("offsets", "distances"))
        self.scales = [float(scale) for scale in scales]
        if len(self.scales) != 4:
            raise InputError(
                f"{type(self).__name__}: `scales` must be of x, y, width and height, four numbers. Received: {scales}."
            )
        self.is_bounded = is_bounded
        self.clip = clip

    def call(self, inputs):
        codes, anchors, image = inputs
        codes, anchors = ops.cast(codes, "float32"), ops.cast(anchors, "float32")
        if self.code == "distances":
            boxes = decode_distances(codes, anchors)
        else:
            boxes = decode_offsets(codes, anchors, self.scales, MOST_ENLARGED if self.is_bounded else None)
        if not self.clip:
            return boxes
        height, width = (ops.cast(length, "float32") for length in ops.shape(image)[1:3])
        ends = (width, height, width, height)
        sides = [ops.minimum(ops.maximum(side, 0.0), end) for side, end in zip(corners(boxes), ends, strict=True)]
        return ops.stack(sides, axis=-1)

    def compute_output_shape(self, input_shapes):
        return input_shapes[0]

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs[0].shape, "float32")

    def get_config(self):
        names = ("code", "scales", "is_bounded", "clip")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
