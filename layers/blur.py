"""Anti-aliased downsampling."""

import math

import keras
import numpy as np
from keras import ops

from zoo.errors import InputError
from zoo.layers import window
from zoo.layers.compilation import fuses_elementwise


class _Blur(keras.layers.Layer):
    rank: int

    def __init__(self, kernel_size: int = 3, strides=1, padding: str = "same", data_format=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(kernel_size, int) or not 1 <= kernel_size <= 7:
            raise InputError(
                f"{type(self).__name__}: `kernel_size` must be an int from 1 to 7. "
                f"Received: kernel_size={kernel_size!r}. Pass 1 to keep every `strides`-th pixel without blur."
            )
        self.kernel_size = kernel_size
        self.strides = window.integers(self, "strides", strides)
        self.padding = window.choice(self, "padding", padding, ("same", "valid", "reflect"))
        self.data_format = window.data_format_or_default(self, data_format)
        self.input_spec = keras.InputSpec(ndim=self.rank + 2)
        self._taps = tuple(math.comb(kernel_size - 1, k) / 2 ** (kernel_size - 1) for k in range(kernel_size))
        self._reflected = ((kernel_size - 1) // 2, kernel_size // 2)

    def call(self, inputs):
        self._check(inputs.shape)
        inputs = ops.cast(inputs, self.compute_dtype)
        # Measured: a depthwise convolution is faster than a pass per axis, but ten times slower under XLA.
        depthwise = self.rank <= 2 and len(set(self.strides)) == 1 and not fuses_elementwise()
        outputs = self._blur_at_once(inputs) if depthwise else self._blur_by_axis(inputs)
        return self._renormalise(outputs, ops.shape(inputs)) if self.padding == "same" else outputs

    def _blur_at_once(self, inputs):
        channels = inputs.shape[window.channel_axis(self)]
        square = self._taps if self.rank == 1 else np.outer(self._taps, self._taps)
        kernel = np.repeat(np.asarray(square)[..., None, None], channels, axis=-2)
        if self.padding == "reflect":
            width = [(0, 0)] * (self.rank + 2)
            for axis in window.spatial_axes(self):
                width[axis] = self._reflected
            inputs = ops.pad(inputs, width, mode="reflect")
        return ops.depthwise_conv(
            inputs,
            ops.convert_to_tensor(kernel, dtype=inputs.dtype),
            strides=self.strides[0],
            padding="same" if self.padding == "same" else "valid",
            data_format=self.data_format,
        )

    def _blur_by_axis(self, x):
        for axis, stride in zip(window.spatial_axes(self), self.strides, strict=True):
            x = self._pad_axis(x, axis, stride)
            views = (window.view(x, axis, k, self.kernel_size, stride) for k in range(self.kernel_size))
            x = sum(weight * view for weight, view in zip(self._taps, views, strict=True))
        return x

    def _pad_axis(self, x, axis, stride):
        if self.padding == "same":
            length, size = ops.shape(x)[axis], self.kernel_size
            windows = window.output_length(length, size, stride, "same")
            return window.frame(x, axis, -window.overhang(length, size, stride, "same"), (windows - 1) * stride + size)
        if self.padding == "valid" or self.kernel_size == 1:
            return x
        # Keras' PyTorch backend cannot reflect volumes whose channels are last: mirror by hand.
        before, after = self._reflected
        along = (slice(None),) * axis
        parts = [ops.flip(x[(*along, slice(1, 1 + before))], axis), x]
        parts.append(ops.flip(x[(*along, slice(-1 - after, -1))], axis))
        return ops.concatenate(parts, axis)

    def _renormalise(self, outputs, shape):
        """Divide by the part of the filter that is inside, a product of one vector per axis."""
        scale = 1.0
        for axis, stride in zip(window.spatial_axes(self), self.strides, strict=True):
            before = window.overhang(shape[axis], self.kernel_size, stride, "same")
            starts = ops.arange(ops.shape(outputs)[axis], dtype="int32") * stride - before
            pixels = starts[:, None] + ops.arange(self.kernel_size, dtype="int32")  # (windows, kernel_size)
            inside = ops.logical_and(pixels >= 0, pixels < shape[axis])
            covered = ops.sum(ops.where(inside, ops.convert_to_tensor(self._taps, "float32"), 0.0), axis=-1)
            ones = [1] * (self.rank + 2)
            ones[axis] = -1
            scale = scale / ops.reshape(covered, ones)
        # Measured: TensorFlow multiplies twice as fast if only the batch is broadcast.
        return outputs * ops.broadcast_to(ops.cast(scale, outputs.dtype), (1, *ops.shape(outputs)[1:]))

    def _check(self, shape):
        smallest = {"same": 1, "valid": self.kernel_size, "reflect": self._reflected[1] + 1}[self.padding]
        if any(size is not None and size < smallest for size in window.spatial_shape(self, shape)):
            raise InputError(
                f"{type(self).__name__}: kernel_size={self.kernel_size} with padding={self.padding!r} needs at least "
                f"{smallest} pixels along every spatial axis. Received: shape={tuple(shape)}. "
                "Use a smaller kernel, or padding='same'."
            )

    def compute_output_shape(self, input_shape):
        self._check(input_shape)
        padding = "valid" if self.padding == "valid" else "same"
        sizes = [
            window.output_length(length, self.kernel_size, stride, padding)
            for length, stride in zip(window.spatial_shape(self, input_shape), self.strides, strict=True)
        ]
        return window.replace_spatial(self, input_shape, sizes)

    def get_config(self):
        names = ("kernel_size", "strides", "padding", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="zoo")
class Blur1D(_Blur):
    """`Blur2D` for signals, `(batch, steps, channels)`.

    Example:
        >>> import keras
        >>> from zoo.layers import Blur1D
        >>> keras.ops.shape(Blur1D(strides=2)(keras.ops.ones((1, 8, 3))))
        (1, 4, 3)
    """

    rank = 1


@keras.saving.register_keras_serializable(package="zoo")
class Blur2D(_Blur):
    """Blur with a binomial filter, then keep every `strides`-th pixel.

    Args:
        kernel_size: Taps of the filter along each axis, 1 to 7: 2 is [1, 1] / 2, 3 is [1, 2, 1] / 4, and so on.
        strides: Step between kept pixels along height and width; an int or one int per axis.
        padding: `"same"`: the filter is renormalised where it overhangs the border, like average pooling;
            `"valid"`: whole windows only; `"reflect"`: the image is mirrored by `(kernel_size - 1) // 2` pixels
            before and `kernel_size // 2` after, as timm and Adobe's antialiased-cnns do.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the Keras configuration.

    Input shape: `(batch, height, width, channels)`, any real dtype; height and width may be unknown.
    Output shape: `(batch, ceil(height / strides), ceil(width / strides), channels)`; with `"valid"`
        `(height - kernel_size) // strides + 1`. Compute dtype, within the range of the input.

    Raises:
        InputError: `kernel_size` is not 1 to 7, `strides` is below 1, `padding` or `data_format` is unknown,
            or the image is too small for the filter or for its reflection.
        ValueError: The input does not have 4 axes.

    Reference: Zhang, 2019, https://arxiv.org/abs/1904.11486, section 3.2, equation 5 and section 4.1: "Rectangle-2",
    "Triangle-3", "Binomial-5". There are no weights: the filter is a constant.

    Example:
        >>> import keras
        >>> from zoo.layers import Blur2D
        >>> keras.ops.shape(Blur2D(kernel_size=3, strides=2)(keras.ops.ones((1, 8, 8, 3))))
        (1, 4, 4, 3)
    """

    rank = 2


@keras.saving.register_keras_serializable(package="zoo")
class Blur3D(_Blur):
    """`Blur2D` for volumes, `(batch, depth, height, width, channels)`.

    Example:
        >>> import keras
        >>> from zoo.layers import Blur3D
        >>> keras.ops.shape(Blur3D(strides=2)(keras.ops.ones((1, 8, 8, 8, 3))))
        (1, 4, 4, 4, 3)
    """

    rank = 3
