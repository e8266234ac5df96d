"""Max pooling whose windows stand centred on the pixels that are kept."""

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers import window


@keras.saving.register_keras_serializable(package="zoo")
class CenteredMaxPooling2D(keras.layers.Layer):
    """Max pooling with windows centred on every `strides`-th pixel, from the first on.

    This is PyTorch's `MaxPool2d(pool_size, strides, padding=pool_size // 2)`. `keras.layers.MaxPooling2D` with `same`
    padding centres the windows elsewhere when it strides over an even number of pixels.

    Args:
        pool_size: Height and width of the window, an odd int.
        strides: Step between windows, in pixels; an int or one int per axis.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the Keras configuration.

    Input shape: `(batch, height, width, channels)`, float; height and width may be unknown.
    Output shape: `(batch, ceil(height / strides), ceil(width / strides), channels)`, within the range of the input:
        what is outside of the image counts as minus infinity.

    Raises:
        InputError: `pool_size` is not an odd int, `strides` is below 1, or `data_format` is unknown.
        ValueError: The input does not have 4 axes.

    Reference: PyTorch's `MaxPool2d`, https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html.

    Example:
        >>> import keras
        >>> from zoo.layers import CenteredMaxPooling2D
        >>> keras.ops.shape(CenteredMaxPooling2D(3, strides=2)(keras.ops.ones((1, 8, 7, 3))))
        (1, 4, 4, 3)
    """

    rank = 2

    def __init__(self, pool_size: int = 3, strides: int | tuple[int, int] = 2, data_format=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(pool_size, int) or pool_size < 1 or pool_size % 2 == 0:
            raise InputError(
                f"{type(self).__name__}: `pool_size` must be an odd int. Received: pool_size={pool_size!r}. "
                "A window of even size has no pixel in its centre."
            )
        self.pool_size = pool_size
        self.strides = window.integers(self, "strides", strides)
        self.data_format = window.data_format_or_default(self, data_format)
        self.input_spec = keras.InputSpec(ndim=4)

    def call(self, inputs):
        lengths = zip(window.spatial_shape(self, inputs.shape), self.strides, strict=True)
        if all(length is not None and (length - 1) % stride == 0 for length, stride in lengths):
            # The last window stands on the last pixel: `same` pads alike, without a pass over the input.
            return ops.max_pool(inputs, self.pool_size, self.strides, "same", self.data_format)
        margin = (self.pool_size // 2, self.pool_size // 2)
        width = window.replace_spatial(self, ((0, 0),) * 4, (margin, margin))
        padded = ops.pad(inputs, width, constant_values=-float("inf"))
        return ops.max_pool(padded, self.pool_size, self.strides, "valid", self.data_format)

    def compute_output_shape(self, input_shape):
        return window.same_output_shape(self, input_shape)

    def get_config(self):
        names = ("pool_size", "strides", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
