"""Bilinear enlargement of images whose size is not known."""

import keras
import numpy as np

from zoo.layers.bicubic_upsampling import BicubicUpSampling2D


@keras.saving.register_keras_serializable(package="zoo")
class BilinearUpSampling2D(BicubicUpSampling2D):
    """Enlarge an image by an integer factor, linear between the middles of its pixels, constant beyond the outer ones.

    The numbers of `keras.layers.UpSampling2D(interpolation="bilinear")`, whose graph TensorFlow cannot trace
    where height and width are unknown (Keras 3.15), so that no SavedModel could hold it.

    Args:
        size: Enlargement of height and width, an int of at least 1.

    Input shape: `(batch, height, width, channels)`, float, height and width may be unknown.
    Output shape: `(batch, size * height, size * width, channels)`, within the range of the input.

    Raises:
        InputError: `size` is not an int of at least 1.
        ValueError: The input does not have 4 axes.

    Reference: Keras' `UpSampling2D`, https://keras.io/api/layers/reshaping_layers/up_sampling2d.

    Example:
        >>> import keras
        >>> from zoo.layers import BilinearUpSampling2D
        >>> row = keras.ops.reshape(keras.ops.array([0.0, 4.0]), (1, 1, 2, 1))
        >>> keras.ops.convert_to_numpy(BilinearUpSampling2D(2)(row))[0, 0, :, 0].tolist()
        [0.0, 1.0, 3.0, 4.0]
    """

    @staticmethod
    def _weights(distance: np.ndarray) -> np.ndarray:
        return np.maximum(0.0, 1.0 - distance)
