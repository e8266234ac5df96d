"""The way back from max pooling: every maximum to where it stood."""

import itertools

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers import flat_index, window


class _MaxUnpooling(keras.layers.Layer):
    rank: int

    def __init__(self, pool_size=2, strides=None, padding: str = "valid", output_size=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = window.integers(self, "pool_size", pool_size)
        self.strides = window.integers(self, "strides", self.pool_size if strides is None else strides)
        self.padding = window.choice(self, "padding", padding, ("valid", "same"))
        self.output_size = None if output_size is None else window.integers(self, "output_size", output_size)
        self.data_format = window.data_format_or_default(self, data_format)

    def call(self, inputs):
        self._check([tuple(x.shape) for x in inputs])
        values, indices = (window.channels_last(self, x) for x in inputs[:2])
        indices = ops.cast(indices, "int32")
        sizes = self._sizes([ops.shape(x) for x in inputs])
        channels = values.shape[-1]
        steps = flat_index.steps_of(sizes, channels)
        axes = zip(sizes, self.pool_size, self.strides, strict=True)
        overhangs = [window.overhang(*axis, self.padding) for axis in axes]
        windows = ops.shape(values)[1:-1]
        starts = flat_index.window_starts([-o for o in overhangs], self.strides, windows, steps, channels)

        def unpool(values):
            return self._unpool(values, indices - starts, sizes, overhangs, steps)

        if any(size > stride for size, stride in zip(self.pool_size, self.strides, strict=True)):
            return window.channels_back(self, unpool(values))

        @ops.custom_gradient
        def unpool_once(values):  # each index occurs once: to pick it again is cheaper than the gradient of comparisons
            def gradient(*args, upstream=None):
                return flat_index.pick(args[0] if upstream is None else upstream, indices)

            return unpool(values), gradient

        return window.channels_back(self, unpool_once(values))

    def _unpool(self, values, offsets, sizes, overhangs, steps):
        """Place the part of the windows that lies 0, 1, … strides after their start; of two values the later stays."""
        reaches = [(size - 1) // stride for size, stride in zip(self.pool_size, self.strides, strict=True)]
        outputs = None
        for shift in itertools.product(*(range(reach, -1, -1) for reach in reaches)):
            ahead = sum(s * stride * step for s, stride, step in zip(shift, self.strides, steps, strict=True))
            first = [o - s * stride for o, s, stride in zip(overhangs, shift, self.strides, strict=True)]
            image = self._image(values, offsets - ahead, first, sizes, steps)
            if outputs is None:
                outputs = image
            else:
                hit = self._image(ops.ones_like(values), offsets - ahead, first, sizes, steps)
                outputs = ops.where(hit > 0, image, outputs)
        return outputs

    def _image(self, values, offsets, first, sizes, steps):
        image = flat_index.place(values, offsets, self.strides, steps)
        for axis, size in enumerate(sizes):
            image = window.frame(image, axis + 1, first[axis], size)
        return image

    def _sizes(self, shapes):
        """Return the spatial size of the output: as told, as the third input, or the smallest that fits."""
        if self.output_size is not None:
            return self.output_size
        if len(shapes) == 3:
            return window.spatial_shape(self, shapes[2])
        windows = window.spatial_shape(self, shapes[0])
        axes = zip(windows, self.pool_size, self.strides, strict=True)
        if self.padding == "same":
            return tuple(None if count is None else count * stride for count, _, stride in axes)
        return tuple(None if count is None else (count - 1) * stride + size for count, size, stride in axes)

    def _check(self, shapes):
        name = type(self).__name__
        if len(shapes) not in (2, 3):
            raise InputError(
                f"{name}: the inputs must be [pooled, indices] or [pooled, indices, like]. Received: {len(shapes)} "
                "inputs. Take the indices from the MaxPoolingWithArgmax layer of the same size."
            )
        pooled, indices, *_ = shapes
        if (
            len(pooled) != self.rank + 2
            or len(indices) != len(pooled)
            or any(None not in (a, b) and a != b for a, b in zip(pooled, indices, strict=True))
        ):
            raise InputError(
                f"{name}: the indices must have the shape of the pooled features, {self.rank + 2} axes. Received: "
                f"pooled of shape {pooled}, indices of shape {indices}. Bring the features to as many channels as "
                "were pooled."
            )
        axes = zip(self._sizes(shapes), self.pool_size, self.strides, strict=True)
        windows = tuple(window.output_length(*axis, self.padding) for axis in axes)
        if any(None not in (a, b) and a != b for a, b in zip(windows, window.spatial_shape(self, pooled), strict=True)):
            raise InputError(
                f"{name}: an output of size {self._sizes(shapes)} pools to {windows} windows. Received: pooled of "
                f"shape {pooled}. Set `output_size` to the size of what was pooled."
            )

    def compute_output_shape(self, input_shape):
        self._check([tuple(shape) for shape in input_shape])
        return window.replace_spatial(self, input_shape[0], self._sizes(input_shape))

    def get_config(self):
        names = ("pool_size", "strides", "padding", "output_size", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="zoo")
class MaxUnpooling1D(_MaxUnpooling):
    """`MaxUnpooling2D` for signals, `(batch, steps, channels)`.

    Example:
        >>> import keras
        >>> from zoo.layers import MaxPoolingWithArgmax1D, MaxUnpooling1D
        >>> pooled, indices = MaxPoolingWithArgmax1D()(keras.ops.ones((1, 6, 3)))
        >>> keras.ops.shape(MaxUnpooling1D()([pooled, indices]))
        (1, 6, 3)
    """

    rank = 1


@keras.saving.register_keras_serializable(package="zoo")
class MaxUnpooling2D(_MaxUnpooling):
    """Put every value where its index says, and 0 elsewhere.

    Args:
        pool_size, strides, padding: Those of the `MaxPoolingWithArgmax2D` that gave the indices.
        output_size: Height and width of what was pooled, an int or one int per axis; by default the smallest size
            with `"valid"`, the largest with `"same"`, that gives as many windows. Odd sizes need it or a third input.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the Keras configuration.

    Input shape: A list of values `(batch, height, width, channels)`, any real dtype, and their indices, int, of the
        same shape, `(row * width + column) * channels + channel` within their windows in the output; and, where
        the sizes are unknown, the features that were pooled, `(batch, new_height, new_width, any)`, for their size.
    Output shape: `(batch, new_height, new_width, channels)`, the dtype and range of the values, and 0. Where
        overlapping windows name one pixel, the last of them (in the order of rows) is kept and gets the gradient.

    Raises:
        InputError: The indices have another shape than the values, `output_size` does not pool to as many windows,
            `pool_size`, `strides` or `output_size` is below 1, or `padding` or `data_format` is unknown.

    Reference: Badrinarayanan et al., 2015, https://arxiv.org/abs/1511.00561, section 3 and figure 3.

    Example:
        >>> import keras
        >>> from zoo.layers import MaxPoolingWithArgmax2D, MaxUnpooling2D
        >>> pooled, indices = MaxPoolingWithArgmax2D()(keras.ops.ones((1, 8, 6, 3)))
        >>> keras.ops.shape(MaxUnpooling2D()([pooled, indices]))
        (1, 8, 6, 3)
    """

    rank = 2


@keras.saving.register_keras_serializable(package="zoo")
class MaxUnpooling3D(_MaxUnpooling):
    """`MaxUnpooling2D` for volumes, `(batch, depth, height, width, channels)`.

    Example:
        >>> import keras
        >>> from zoo.layers import MaxPoolingWithArgmax3D, MaxUnpooling3D
        >>> pooled, indices = MaxPoolingWithArgmax3D()(keras.ops.ones((1, 4, 8, 6, 3)))
        >>> keras.ops.shape(MaxUnpooling3D()([pooled, indices]))
        (1, 4, 8, 6, 3)
    """

    rank = 3
