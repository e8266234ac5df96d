"""What sparse and partial convolutions share: a one-channel mask, counted once per window."""

import math

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers import window


class MaskedConv(keras.layers.Layer):
    """Mixed into a Keras convolution, makes it one of `inputs * mask` that also returns the next mask.

    The mask is summed over its channels first: what is left to count under each window is one channel, by one
    addition per tap and axis, next to nothing beside the convolution itself.
    """

    def __init__(self, filters, kernel_size, padding="valid", binary=True, **kwargs):
        window.choice(self, "padding", padding, ("valid", "same"))
        try:
            super().__init__(filters, kernel_size, padding=padding, **kwargs)
        except ValueError as error:
            raise InputError(f"{type(self).__name__}: {error}") from error
        if self.groups != 1:
            raise InputError(
                f"{type(self).__name__}: `groups` must be 1, because the window that the mask normalises spans all "
                f"channels. Received: groups={self.groups}. Use one layer per group."
            )
        self.binary = binary
        self.input_spec = None  # with a mask there are two inputs; `_split` checks both

    def build(self, input_shape):
        features, mask = self._pair(input_shape)
        self._check(features, mask)
        super().build(features)
        self.input_spec = None

    def _pair(self, inputs):
        """Return features and mask, or their shapes; the mask is None where there is none."""
        paired = isinstance(inputs, (list, tuple)) and not isinstance(inputs[0], (int, type(None)))
        return tuple(inputs) if paired else (inputs, None)

    def _check(self, features, mask):
        """Raise InputError unless these are the shapes of an image and its mask."""
        name = type(self).__name__
        if len(features) != self.rank + 2:
            raise InputError(
                f"{name}: the features must have {self.rank + 2} axes. Received: shape={tuple(features)}. "
                "Add the axis of the batch or of the channels."
            )
        if mask is None:
            return
        channel_axis = window.channel_axis(self)
        channels, fits = features[channel_axis], len(mask) == len(features)
        for axis, (length, mask_length) in enumerate(zip(features, mask, strict=False)):
            allowed = (1, channels) if axis == channel_axis else (length, None)
            fits = fits and (length is None or mask_length in allowed)
        if not fits:
            raise InputError(
                f"{name}: the mask must have the spatial size of the features and 1 or {channels} channels. Received: "
                f"features of shape {tuple(features)}, mask of shape {tuple(mask)}. "
                "Resize the mask to the features, or reduce it over its channels."
            )

    def _masked_convolution(self, features, mask):
        """Return conv(features * mask), without bias, and the sum of the mask under each window, both float32."""
        self._check(features.shape, mask.shape)
        seen = (window.spatial_axes(self), self.kernel_size, self.strides, self.padding)
        features, mask = window.trim(features, *seen), window.trim(mask, *seen)
        total = ops.cast(mask, "float32")  # bfloat16 cannot count beyond 256
        if mask.shape[window.channel_axis(self)] != 1:
            total = ops.sum(total, axis=window.channel_axis(self), keepdims=True)
        for axis, size, stride, dilation in zip(
            window.spatial_axes(self), self.kernel_size, self.strides, self.dilation_rate, strict=True
        ):
            reach, length = (size - 1) * dilation + 1, ops.shape(total)[axis]
            windows = window.output_length(length, reach, stride, self.padding)
            start = -window.overhang(length, reach, stride, self.padding)
            total = window.frame(total, axis, start, (windows - 1) * stride + reach)
            total = sum(window.view(total, axis, tap * dilation, reach, stride) for tap in range(size))
        scale = self._scale(features.shape[window.channel_axis(self)])
        outputs = self.convolution_op(features * (ops.cast(mask, features.dtype) * scale), self.kernel)
        return ops.cast(outputs, "float32") / scale, total

    def _scale(self, channels) -> float:
        """By what the features are made smaller before they are summed: float16 ends at 65,504.

        A power of two near the square root of the number of summands; the sum is exact but for what float16 loses.
        """
        if self.compute_dtype != "float16":
            return 1.0
        summands = math.prod(self.kernel_size) * channels
        return 2.0 ** -(summands.bit_length() // 2)

    def _finished(self, outputs):
        """Add the bias to float32 outputs, and bring them to the compute dtype, the largest in place of infinity."""
        if self.use_bias:
            bias = ops.cast(self.bias, "float32")
            last = self.data_format == "channels_last"
            outputs = outputs + (bias if last else ops.reshape(bias, (-1, *[1] * self.rank)))
        return ops.saturate_cast(outputs, self.compute_dtype)

    def _window_size(self, mask) -> int:
        """Return sum(1): the entries of the mask that a window contains when it overhangs no border."""
        return math.prod(self.kernel_size) * mask.shape[window.channel_axis(self)]

    def _next_mask(self, total, mask):
        if self.binary:
            return ops.cast(total > 0, self.compute_dtype)
        return ops.cast(total / self._window_size(mask), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        features, mask = self._pair(input_shape)
        self._check(features, mask)
        outputs = super().compute_output_shape(features)
        next_mask = list(outputs)
        next_mask[window.channel_axis(self)] = 1
        return tuple(outputs), tuple(next_mask)

    def get_config(self):
        return {**super().get_config(), "binary": self.binary}
