"""Partial convolution, for irregular holes."""

import keras
from keras import ops

from zoo.layers import window
from zoo.layers.masked_conv import MaskedConv


class _PartialConv(MaskedConv):
    def __init__(self, filters, kernel_size, strides=1, padding="valid", binary=True, **kwargs):
        super().__init__(filters, kernel_size, strides=strides, padding=padding, binary=binary, **kwargs)

    def call(self, inputs):
        features, mask = self._pair(inputs)
        if mask is None:
            mask = ops.ones_like(ops.take(features, [0], axis=window.channel_axis(self)))
        outputs, total = self._masked_convolution(features, mask)
        outputs = self._finished(outputs * ops.divide_no_nan(float(self._window_size(mask)), total))
        outputs = outputs * ops.cast(total > 0, outputs.dtype)
        return self.activation(outputs), self._next_mask(total, mask)


@keras.saving.register_keras_serializable(package="zoo")
class PartialConv1D(_PartialConv, keras.layers.Conv1D):
    """`PartialConv2D` for signals, `(batch, steps, channels)`.

    Example:
        >>> import keras
        >>> from zoo.layers import PartialConv1D
        >>> outputs, mask = PartialConv1D(8, 3)(keras.ops.ones((1, 7, 3)))
        >>> keras.ops.shape(outputs), keras.ops.shape(mask)
        ((1, 5, 8), (1, 5, 1))
    """


@keras.saving.register_keras_serializable(package="zoo")
class PartialConv2D(_PartialConv, keras.layers.Conv2D):
    """Convolve the valid pixels only, and close the holes layer by layer.

    `outputs = conv(inputs * mask) * sum(1) / sum(mask) + bias` where the window contains anything valid, else 0,
    without bias; then the activation. `sum(1)` is the whole window, also at the border: what overhangs it counts as
    invalid.

    Args:
        filters, kernel_size, strides, padding: As in `keras.layers.Conv2D`; so are all others, except `groups`.
        binary: The returned mask is 1 where the window contains anything valid, as in the paper; with `False` it is the
            mean of the mask under the window.

    Input shape: `(batch, height, width, channels)`, or a list of that and a mask
        `(batch, height, width, 1 or channels)` of any dtype, booleans too, within [0, 1]. Without a mask
        everything is valid.
    Output shape: Two tensors of the compute dtype: features `(batch, new_height, new_width, filters)` and mask
        `(batch, new_height, new_width, 1)` within [0, 1].

    Raises:
        InputError: The mask has another size than the features or neither 1 nor `channels` channels; `groups` is
            not 1; `strides` and `dilation_rate` are both above 1; `padding` is unknown.

    Reference: Liu et al., 2018, https://arxiv.org/abs/1804.07723, equations 1 (features) and 2 (mask).

    Example:
        >>> import keras
        >>> from zoo.layers import PartialConv2D
        >>> image, mask = keras.ops.ones((1, 9, 9, 3)), keras.ops.ones((1, 9, 9, 3))
        >>> keras.ops.shape(PartialConv2D(8, 3, padding="same")([image, mask])[0])
        (1, 9, 9, 8)
    """


@keras.saving.register_keras_serializable(package="zoo")
class PartialConv3D(_PartialConv, keras.layers.Conv3D):
    """`PartialConv2D` for volumes, `(batch, depth, height, width, channels)`.

    Example:
        >>> import keras
        >>> from zoo.layers import PartialConv3D
        >>> outputs, mask = PartialConv3D(8, 3)(keras.ops.ones((1, 7, 7, 7, 3)))
        >>> keras.ops.shape(outputs), keras.ops.shape(mask)
        ((1, 5, 5, 5, 8), (1, 5, 5, 5, 1))
    """
