"""Batch normalisation that trains several times faster on TensorFlow."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, in training by TensorFlow's one fused operation where that can be used.

    Keras computes the moments, the scaling and, in half precision, the casts as operations of their own. The fused one
    gives the same outputs, gradients and moving averages up to rounding, several times faster on a processor.
    Inference, other backends, masks, other axes than the last, and renormalisation are Keras' own.

    Its arguments are those of `keras.layers.BatchNormalization`.

    Input shape: `(batch, ..., channels)`, float; all but the channels may be unknown.
    Output shape: the same.

    Raises:
        ValueError: The number of channels is unknown, or an argument that Keras refuses.

    Reference: Ioffe & Szegedy, 2015, https://arxiv.org/abs/1502.03167, algorithm 1.

    Example:
        >>> import keras
        >>> import numpy as np
        >>> from zoo.layers import FusedBatchNormalization
        >>> outputs = FusedBatchNormalization()(np.array([[[[1.0]], [[3.0]]]], "float32"), training=True)
        >>> np.round(keras.ops.convert_to_numpy(outputs).ravel(), 2).tolist()
        [-1.0, 1.0]
    """

    def call(self, inputs, training=None, mask=None):
        is_last = self.axis in (-1, len(inputs.shape) - 1)
        if (
            not (training and self.trainable and is_last and len(inputs.shape) > 2)
            or mask is not None
            or self.renorm
            or self.synchronized
            or keras.backend.backend() != "tensorflow"
        ):
            return super().call(inputs, training=training, mask=mask)
        return self._fused(inputs)

    def _fused(self, inputs):
        import tensorflow as tf

        shape = ops.shape(inputs)
        channels = shape[-1]
        x = ops.reshape(inputs, (shape[0], -1, 1, channels)) if len(shape) != 4 else inputs
        x, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=ops.cast(self.gamma, "float32") if self.scale else ops.ones((channels,)),
            offset=ops.cast(self.beta, "float32") if self.center else ops.zeros((channels,)),
            mean=tf.constant([], "float32"),
            variance=tf.constant([], "float32"),
            epsilon=self.epsilon,
            is_training=True,
        )
        count = ops.cast(ops.size(inputs) // channels, "float32")
        variance = variance * (count - 1) / count  # TensorFlow's is the unbiased estimate, Keras keeps the other
        self._keep(self.moving_mean, mean)
        self._keep(self.moving_variance, variance)
        return ops.reshape(x, shape)

    def _keep(self, average, value):
        average.assign(average * self.momentum + value * (1 - self.momentum))


def fuse_normalization(model: keras.Model) -> None:
    """Turn each `keras.layers.BatchNormalization` of a model into the fused one, in place, before it is trained.

    Variables, outputs and the model's own file of weights stay the same. What `model.save` writes then needs
    `import zoo.layers` to be read; `unfuse_normalization` undoes it.
    """
    _swap(model, keras.layers.BatchNormalization, FusedBatchNormalization)


def unfuse_normalization(model: keras.Model) -> None:
    """Turn them back: what is saved can be read without this library's layers."""
    _swap(model, FusedBatchNormalization, keras.layers.BatchNormalization)


def _swap(model: keras.Model, before: type, after: type) -> None:
    for layer in model.layers:
        if type(layer) is before:
            layer.__class__ = after
