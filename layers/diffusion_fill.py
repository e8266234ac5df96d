"""Filling holes by diffusion, without parameters."""

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers import window

TAPS = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)  # the binomial filter


class _DiffusionFill(keras.layers.Layer):
    rank: int

    def __init__(self, gain: float = 16.0, levels: int = 12, data_format=None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(gain, bool) or not isinstance(gain, int | float) or not gain >= 1:
            raise InputError(f"{type(self).__name__}: `gain` must be a number of at least 1. Received: gain={gain!r}.")
        if isinstance(levels, bool) or not isinstance(levels, int) or levels < 1:
            raise InputError(
                f"{type(self).__name__}: `levels` must be an int of at least 1. Received: levels={levels!r}."
            )
        self.gain, self.levels = float(gain), levels
        self.data_format = window.data_format_or_default(self, data_format)

    def build(self, input_shape):
        self._check(*input_shape)

    def call(self, inputs):
        features, mask = (ops.cast(x, "float32") for x in inputs)  # 16 bits would lose what is far from a hole's edge
        self._check(features.shape, mask.shape)
        return ops.cast(self._filled(features, mask, self.levels), self.compute_dtype)

    def _filled(self, features, weights, levels):
        """The features where their weight is 1, what surrounds them where it is 0, and between in proportion."""
        sizes = window.spatial_shape(self, features.shape)
        if levels == 0 or all(size == 1 for size in sizes):
            return features
        total, coarse = features * weights, weights
        for axis in window.spatial_axes(self):
            total, coarse = _halved(total, axis), _halved(coarse, axis)
        mean = total / ops.maximum(coarse, 1e-30)
        filled = self._filled(mean, ops.minimum(1.0, self.gain * coarse), levels - 1)
        for axis in window.spatial_axes(self):
            filled = _doubled(filled, axis, ops.shape(features)[axis])
        return features * weights + (1.0 - weights) * filled

    def _check(self, features, mask):
        name, axis = type(self).__name__, window.channel_axis(self)
        if len(features) != self.rank + 2 or len(mask) != self.rank + 2 or mask[axis] not in (1, features[axis]):
            raise InputError(
                f"{name}: needs features and a mask of {self.rank + 2} axes, the mask of 1 channel or as many as the "
                f"features. Received: shapes {tuple(features)} and {tuple(mask)}."
            )

    def compute_output_shape(self, input_shape):
        self._check(*input_shape)
        return tuple(input_shape[0])

    def get_config(self):
        names = ("gain", "levels", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _halved(x, axis):
    """Blur and keep every second entry along `axis`: n -> ceil(n / 2), entry i about entry 2 i; zeros around."""
    half = (ops.shape(x)[axis] + 1) // 2
    x = window.frame(x, axis, -2, 2 * half + 3)
    return sum(tap * window.view(x, axis, k, len(TAPS), 2) for k, tap in enumerate(TAPS))


def _doubled(x, axis, length):
    """The same filter from coarse to fine along `axis`: ceil(n / 2) -> n = `length`; the border is repeated."""
    along = (slice(None),) * axis
    around = ops.concatenate([x[(*along, slice(0, 1))], x, x[(*along, slice(-1, None))]], axis)
    before, here, after = (window.view(around, axis, k, 3, 1) for k in range(3))
    pairs = ops.stack([(before + 6.0 * here + after) / 8.0, (here + after) / 2.0], axis + 1)
    shape = ops.shape(x)
    doubled = ops.reshape(pairs, (*shape[:axis], 2 * shape[axis], *shape[axis + 1 :]))
    return doubled[(*along, slice(0, length))]


@keras.saving.register_keras_serializable(package="zoo")
class DiffusionFill1D(_DiffusionFill):
    """`DiffusionFill2D` for signals, `(batch, steps, channels)`.

    Example:
        >>> import keras
        >>> from zoo.layers import DiffusionFill1D
        >>> signal, mask = keras.ops.ones((1, 9, 1)), keras.ops.zeros((1, 9, 1))
        >>> keras.ops.shape(DiffusionFill1D()([signal, mask]))
        (1, 9, 1)
    """

    rank = 1


@keras.saving.register_keras_serializable(package="zoo")
class DiffusionFill2D(_DiffusionFill):
    """Fill what is masked from around it: a pyramid of soft masks that spread like diffusion. It has no weights.

    On the way down, valid entries are averaged with the filter (1 4 6 4 1)/16 and every second one is kept; the next
    mask is `min(1, gain * blurred mask)`. On the way up, `mask * x + (1 - mask) * up`. It is the mask of
    `SparseConv2D(binary=False)`, carried down until nothing is missing and up again.

    Args:
        gain: How fast the mask closes. With 1 it is the plain mean under the filter; larger ones trust near entries
            more than far ones.
        levels: How often height and width are halved; a hole wider than `2**levels` pixels keeps zeros in its middle.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the Keras configuration.

    Input shape: A list of features `(batch, height, width, channels)` and a mask
        `(batch, height, width, 1 or channels)` within [0, 1], 1 = valid. What the features are under the hole changes
        nothing, if it is finite.
    Output shape: `(batch, height, width, channels)`, compute dtype, within the range of the valid entries; computed in
        float32. Zeros where nothing is valid at all.

    Raises:
        InputError: `gain` or `levels` is below 1, or the shapes do not go together.

    Reference: Gortler et al., 1996, https://doi.org/10.1145/237170.237200, section 4 ("pull-push"), whose weights
    saturate in the same way; Uhrig et al., 2017, https://arxiv.org/abs/1708.06500, for masks as averages.

    Example:
        >>> import keras
        >>> from zoo.layers import DiffusionFill2D
        >>> image, mask = keras.ops.ones((1, 8, 8, 3)), keras.ops.eye(8)[None, :, :, None]
        >>> float(keras.ops.min(DiffusionFill2D()([image, mask])))
        1.0
    """

    rank = 2


@keras.saving.register_keras_serializable(package="zoo")
class DiffusionFill3D(_DiffusionFill):
    """`DiffusionFill2D` for volumes, `(batch, depth, height, width, channels)`.

    Example:
        >>> import keras
        >>> from zoo.layers import DiffusionFill3D
        >>> volume, mask = keras.ops.ones((1, 4, 4, 4, 1)), keras.ops.ones((1, 4, 4, 4, 1))
        >>> keras.ops.shape(DiffusionFill3D()([volume, mask]))
        (1, 4, 4, 4, 1)
    """

    rank = 3
