"""Where in its last map a network sees what it predicts: class activation maps, by gradients where the head needs it.

Zhou et al., 2016, https://arxiv.org/abs/1512.04150: where the head is linear on the mean of a map, a logit is the mean
of a map of its own, the weighted sum of the channels. Selvaraju et al., 2017, https://arxiv.org/abs/1610.02391: else
the weights are the mean gradients of the logit, which are the same where the head is linear.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from zoo.architectures import QUANTITIES

_UNCHANGED = (keras.layers.Dropout, keras.layers.Flatten, keras.layers.Identity, keras.layers.Reshape)


def last_map(model: keras.Model, height: int, width: int) -> Any:
    """The last map of a classifier that has more than one place, as a symbolic tensor; None where there is none.

    Args:
        model: From an image to `(batch, outputs)`.
        height: Of the image, in pixels.
        width: Likewise.
    """
    image = (1, height, width, model.input.shape[-1])
    tensor = model.output
    while (tensor := _before(tensor)) is not None:
        if len(tensor.shape) == 4:
            _, rows, columns, _ = keras.Model(model.input, tensor).compute_output_shape(image)
            if rows * columns > 1:
                return tensor
    return None


def linear_head(model: keras.Model, of_map: Any) -> keras.layers.Dense | None:
    """The layer of a head that is linear on the mean of a map; None for any other head."""
    last = model.output._keras_history.operation
    tensor = last.input if last.name == QUANTITIES else model.output
    head = tensor._keras_history.operation
    if type(head) is not keras.layers.Dense or head.activation is not keras.activations.linear:
        return None
    operation = head.input._keras_history.operation
    while isinstance(operation, _UNCHANGED):
        operation = operation.input._keras_history.operation
    is_mean = type(operation) is keras.layers.GlobalAveragePooling2D and operation.input is of_map
    return head if is_mean else None


def activation_map(values: Any, weights: Any) -> Any:
    """What speaks for an output at each place, 1 where it is most: `(batch, h, w, c)`, `(batch, c)` -> `(batch, h, w)`.

    Where nothing does, it is 0 everywhere. It runs in any graph: operations of Keras alone.
    """
    from keras import ops

    found = ops.relu(ops.sum(ops.multiply(values, weights[:, None, None, :]), axis=-1))
    return found / ops.maximum(ops.max(found, axis=(1, 2), keepdims=True), 1e-12)


class BestMap(keras.layers.Layer):
    """The map of the largest output, or of the first one: from a map `(batch, h, w, c)` and outputs `(batch, outputs)`
    to `(batch, h, w)`.

    Args:
        head: The linear head.
        is_first: Always of the first output: quantities have no largest.
    """

    def __init__(self, head: keras.layers.Dense, *, is_first: bool):
        super().__init__(dtype="float32")
        self.head, self.is_first = head, is_first

    def call(self, values: Any, outputs: Any) -> Any:
        from keras import ops

        kernel = ops.transpose(ops.cast(self.head.kernel, "float32"))  # (outputs, channels)
        if self.is_first:
            return activation_map(values, kernel[:1])
        # Without argmax, which Keras makes of operations that ONNX does not have.
        best = ops.cast(outputs >= ops.max(outputs, axis=-1, keepdims=True), "float32")
        return activation_map(values, ops.matmul(best / ops.sum(best, axis=-1, keepdims=True), kernel))


def explained(model: keras.Model, height: int, width: int, *, is_first: bool = False) -> keras.Model | None:
    """From an image to the model's outputs and the `BestMap` of them; None where the head needs gradients for it."""
    of_map = last_map(model, height, width)
    head = None if of_map is None else linear_head(model, of_map)
    if head is None:
        return None
    return keras.Model(model.input, [model.output, BestMap(head, is_first=is_first)(of_map, model.output)])


def mean_gradients(head: keras.Model, values: Any, output: int) -> np.ndarray:
    """The gradient of one output by a map, a mean over its places: `(1, h, w, channels)` -> `(1, channels)`."""
    gradient = _GRADIENTS[keras.backend.backend()](lambda given: head(given, training=False)[0, output], values)
    return keras.ops.convert_to_numpy(gradient).mean(axis=(1, 2))


def _with_tensorflow(function: Callable[[Any], Any], values: Any) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(values)
        value = function(values)
    return tape.gradient(value, values)


def _with_jax(function: Callable[[Any], Any], values: Any) -> Any:
    import jax

    return jax.grad(function)(values)


def _with_torch(function: Callable[[Any], Any], values: Any) -> Any:
    import torch

    with torch.enable_grad():
        given = values.detach().requires_grad_()
        return torch.autograd.grad(function(given), given)[0]


_GRADIENTS = {"tensorflow": _with_tensorflow, "jax": _with_jax, "torch": _with_torch}


def _before(tensor: Any) -> Any:
    """What the operation takes that gives this tensor, the first of several; None where it takes nothing."""
    operation, node, _ = tensor._keras_history
    inputs = operation._inbound_nodes[node].input_tensors
    return inputs[0] if inputs else None
