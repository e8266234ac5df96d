"""Max pooling that remembers where each maximum stood."""

import functools

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers import flat_index, window
from zoo.layers.compilation import fuses_elementwise


class _MaxPoolingWithArgmax(keras.layers.Layer):
    rank: int

    def __init__(self, pool_size=2, strides=None, padding: str = "valid", data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = window.integers(self, "pool_size", pool_size)
        self.strides = window.integers(self, "strides", self.pool_size if strides is None else strides)
        self.padding = window.choice(self, "padding", padding, ("valid", "same"))
        self.data_format = window.data_format_or_default(self, data_format)
        self.input_spec = keras.InputSpec(ndim=self.rank + 2)

    def call(self, inputs):
        self._check(inputs.shape)
        x = window.channels_last(self, ops.cast(inputs, self.compute_dtype))  # (batch, *sizes, channels)
        *sizes, channels = ops.shape(x)[1:]
        steps = flat_index.steps_of(sizes, channels)
        axes = tuple(zip(sizes, self.pool_size, self.strides, strict=True))
        overhangs = [window.overhang(*axis, self.padding) for axis in axes]
        windows = [window.output_length(*axis, self.padding) for axis in axes]
        views = list(self._views(ops.stop_gradient(x), windows, overhangs))
        overlapping = any(size > stride for size, stride in zip(self.pool_size, self.strides, strict=True))
        # Measured: under XLA comparisons are faster than its pooling, of which the gradient is twenty times slower.
        if overlapping or not fuses_elementwise():
            seen = window.trim(x, range(1, self.rank + 1), self.pool_size, self.strides, self.padding)
            pooled = ops.max_pool(seen, self.pool_size, self.strides, self.padding, "channels_last")
            offsets = self._offsets(views, pooled, overhangs, steps)
        else:
            pooled = functools.reduce(ops.maximum, views)
            offsets = self._offsets(views, pooled, overhangs, steps)
            pooled = self._with_gradient(x, pooled, offsets, overhangs, steps)
        starts = flat_index.window_starts([-o for o in overhangs], self.strides, windows, steps, channels)
        return window.channels_back(self, pooled), window.channels_back(self, starts + offsets)

    def _offsets(self, views, pooled, overhangs, steps):
        """Return how far, int32, each maximum lies from its window's first pixel; of equal maxima the first."""
        pooled = ops.stop_gradient(pooled)
        # This pixel lies in the image for every window; it stands for maxima that equal none, such as NaN.
        inside = sum(first * step for first, step in zip(overhangs, steps, strict=True))
        offsets = ops.zeros_like(pooled, dtype="int32") + inside
        for tap, candidate in reversed(list(zip(flat_index.taps_of(self.pool_size), views, strict=True))):
            offset = sum(pixel * step for pixel, step in zip(tap, steps, strict=True))
            offsets = ops.where(candidate == pooled, offset, offsets)
        if self.padding == "same":  # a window of -inf must not name a pixel of the padding, which is -inf too
            offsets = ops.where(ops.isneginf(pooled), inside, offsets)
        return offsets

    def _views(self, x, windows, overhangs):
        """Yield what each tap of the windows sees, `(batch, *windows, channels)`.

        The image is cut into blocks of one stride first: TensorFlow's strided slices are five times slower.
        """
        batch, *_, channels = ops.shape(x)
        blocks = []
        for axis, size in enumerate(self.pool_size):
            stride = self.strides[axis]
            blocks += [windows[axis] + (size - 1) // stride, stride]
            x = window.frame(x, axis + 1, -overhangs[axis], blocks[-2] * stride, fill=float("-inf"))
        x = ops.reshape(x, (batch, *blocks, channels))  # (batch, rows, strides[0], columns, strides[1], channels)
        for tap in flat_index.taps_of(self.pool_size):
            index = [slice(None)]
            for pixel, stride, count in zip(tap, self.strides, windows, strict=True):
                block = pixel // stride
                index += [slice(block, block + count), pixel % stride]
            yield x[tuple(index)]

    def _with_gradient(self, x, pooled, offsets, overhangs, steps):
        """Give `pooled` the gradient that places each value at its maximum, cheaper than that of the comparisons."""
        sizes = ops.shape(x)[1:-1]

        @ops.custom_gradient
        def pool(x):
            def gradient(*args, upstream=None):
                image = flat_index.place(args[0] if upstream is None else upstream, offsets, self.strides, steps)
                for axis, size in enumerate(sizes):
                    image = window.frame(image, axis + 1, overhangs[axis], size)
                return image

            return pooled, gradient

        return pool(x)

    def _check(self, shape):
        sizes = window.spatial_shape(self, shape)
        if self.padding == "valid" and any(
            size is not None and size < pool for size, pool in zip(sizes, self.pool_size, strict=True)
        ):
            raise InputError(
                f"{type(self).__name__}: padding='valid' needs an input at least as large as "
                f"pool_size={self.pool_size}. Received: shape={tuple(shape)}. Use padding='same'."
            )

    def compute_output_shape(self, input_shape):
        self._check(input_shape)
        axes = zip(window.spatial_shape(self, input_shape), self.pool_size, self.strides, strict=True)
        windows = [window.output_length(*axis, self.padding) for axis in axes]
        shape = window.replace_spatial(self, input_shape, windows)
        return shape, shape

    def compute_output_spec(self, inputs):
        pooled, indices = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(pooled, self.compute_dtype), keras.KerasTensor(indices, "int32")

    def get_config(self):
        names = ("pool_size", "strides", "padding", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="zoo")
class MaxPoolingWithArgmax1D(_MaxPoolingWithArgmax):
    """`MaxPoolingWithArgmax2D` for signals, `(batch, steps, channels)`.

    Example:
        >>> import keras
        >>> from zoo.layers import MaxPoolingWithArgmax1D
        >>> pooled, indices = MaxPoolingWithArgmax1D()(keras.ops.ones((1, 6, 3)))
        >>> keras.ops.shape(pooled), keras.ops.shape(indices)
        ((1, 3, 3), (1, 3, 3))
    """

    rank = 1


@keras.saving.register_keras_serializable(package="zoo")
class MaxPoolingWithArgmax2D(_MaxPoolingWithArgmax):
    """Max pooling that also returns the position of each maximum, for `MaxUnpooling2D`.

    Args:
        pool_size, strides, padding: As in `keras.layers.MaxPooling2D`.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the Keras configuration.

    Input shape: `(batch, height, width, channels)`, any real dtype; height and width may be unknown.
    Output shape: Twice `(batch, new_height, new_width, channels)`: the maxima, of the compute dtype, and their
        indices `(row * width + column) * channels + channel`, int32, within the image (also with
        `"channels_first"`). Of equal maxima the first counts and gets the gradient.

    Raises:
        InputError: `pool_size` or `strides` is below 1, `padding` or `data_format` is unknown, or the image is
            smaller than the window with `"valid"` padding.
        ValueError: The input does not have 4 axes.

    Reference: Badrinarayanan et al., 2015, https://arxiv.org/abs/1511.00561, section 3; the index is that of
    `tf.nn.max_pool_with_argmax`, which XLA cannot compile.

    Example:
        >>> import keras
        >>> from zoo.layers import MaxPoolingWithArgmax2D
        >>> pooled, indices = MaxPoolingWithArgmax2D()(keras.ops.ones((1, 8, 6, 3)))
        >>> keras.ops.shape(pooled), keras.ops.shape(indices)
        ((1, 4, 3, 3), (1, 4, 3, 3))
    """

    rank = 2


@keras.saving.register_keras_serializable(package="zoo")
class MaxPoolingWithArgmax3D(_MaxPoolingWithArgmax):
    """`MaxPoolingWithArgmax2D` for volumes, `(batch, depth, height, width, channels)`.

    The index is `((plane * height + row) * width + column) * channels + channel`.

    Example:
        >>> import keras
        >>> from zoo.layers import MaxPoolingWithArgmax3D
        >>> pooled, indices = MaxPoolingWithArgmax3D()(keras.ops.ones((1, 4, 8, 6, 3)))
        >>> keras.ops.shape(pooled), keras.ops.shape(indices)
        ((1, 2, 4, 3, 3), (1, 2, 4, 3, 3))
    """

    rank = 3
