"""Sparsity-invariant convolution."""

import keras
from keras import ops

from zoo.layers import window
from zoo.layers.masked_conv import MaskedConv


class _SparseConv(MaskedConv):
    def __init__(self, filters, kernel_size, strides=1, padding="valid", normalization="mean", binary=True, **kwargs):
        super().__init__(filters, kernel_size, strides=strides, padding=padding, binary=binary, **kwargs)
        self.normalization = window.choice(self, "normalization", normalization, ("mean", "sum"))

    def call(self, inputs):
        features, mask = self._pair(inputs)
        if mask is None:
            mask = ops.any(features != 0, axis=window.channel_axis(self), keepdims=True)
        outputs, total = self._masked_convolution(features, mask)
        entries = self._window_size(mask) if self.normalization == "mean" else 1
        outputs = self._finished(outputs * ops.divide_no_nan(float(entries), total))
        return self.activation(outputs), self._next_mask(total, mask)

    def get_config(self):
        return {**super().get_config(), "normalization": self.normalization}


@keras.saving.register_keras_serializable(package="zoo")
class SparseConv1D(_SparseConv, keras.layers.Conv1D):
    """`SparseConv2D` for signals, `(batch, steps, channels)`.

    Example:
        >>> import keras
        >>> from zoo.layers import SparseConv1D
        >>> outputs, mask = SparseConv1D(8, 3)(keras.ops.ones((1, 7, 3)))
        >>> keras.ops.shape(outputs), keras.ops.shape(mask)
        ((1, 5, 8), (1, 5, 1))
    """


@keras.saving.register_keras_serializable(package="zoo")
class SparseConv2D(_SparseConv, keras.layers.Conv2D):
    """Convolve the valid pixels only, normalised by how much of the window is valid.

    `outputs = conv(inputs * mask) / mean(mask) + bias`, and just the bias where the window contains nothing valid.
    What overhangs the border with `padding="same"` counts as invalid.

    Args:
        filters, kernel_size, strides, padding: As in `keras.layers.Conv2D`; so are all others, except `groups`.
        normalization: `"mean"`: divide by the mean of the mask under the window, which is 1 for a full mask, so that
            Keras' initialisers keep their variance; `"sum"`: by its sum, the paper's form.
        binary: The returned mask is 1 where the window contains anything valid (the paper's max pooling); with `False`
            it is the mean of the mask, which spreads like diffusion.

    Input shape: `(batch, height, width, channels)`, or a list of that and a mask
        `(batch, height, width, 1 or channels)` of any dtype, booleans too, within [0, 1]. Without a mask
        a pixel is valid where any channel is not 0.
    Output shape: Two tensors of the compute dtype: features `(batch, new_height, new_width, filters)` and mask
        `(batch, new_height, new_width, 1)` within [0, 1].

    Raises:
        InputError: The mask has another size than the features or neither 1 nor `channels` channels; `groups` is
            not 1; `strides` and `dilation_rate` are both above 1; `normalization` or `padding` is unknown.

    Reference: Uhrig et al., 2017, https://arxiv.org/abs/1708.06500, equations 2 (sum) and 3 (mask).

    Example:
        >>> import keras
        >>> from zoo.layers import SparseConv2D
        >>> image, mask = keras.ops.ones((1, 9, 9, 3)), keras.ops.ones((1, 9, 9, 1))
        >>> keras.ops.shape(SparseConv2D(8, 3, padding="same")([image, mask])[0])
        (1, 9, 9, 8)
    """


@keras.saving.register_keras_serializable(package="zoo")
class SparseConv3D(_SparseConv, keras.layers.Conv3D):
    """`SparseConv2D` for volumes, `(batch, depth, height, width, channels)`.

    Example:
        >>> import keras
        >>> from zoo.layers import SparseConv3D
        >>> outputs, mask = SparseConv3D(8, 3)(keras.ops.ones((1, 7, 7, 7, 3)))
        >>> keras.ops.shape(outputs), keras.ops.shape(mask)
        ((1, 5, 5, 5, 8), (1, 5, 5, 5, 1))
    """
