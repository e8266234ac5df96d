"""What the signature `features` gives: what goes into the head, or into the last trainable layer."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from zoo.export.exportable import named
from zoo.export.variants import last_layer_with_weights
from zoo.model import ZooModel


def feature_extractor(model: ZooModel) -> Callable:
    """From inputs to features; of a model that gives features already, its outputs."""
    outputs = model.output if gives_features(model) else _head_inputs(model)[0]
    return functools.partial(keras.Model(model.input, outputs), training=False)


def rest_after(model: ZooModel, inputs: Any) -> Callable[[Any], Any]:
    """From features to the model's outputs for `inputs`: whether features are right shows in what the head makes of
    them."""
    others = _head_inputs(model)[1:]  # a masked layer reads its mask too
    given = keras.tree.flatten(model.input)
    histories = [one._keras_history for one in given]
    rest = keras.Model([*given, *_head_inputs(model)], model.output)
    for one, history in zip(given, histories, strict=True):  # Keras counts them again, and then finds no configuration
        one._keras_history = history
    beside = keras.tree.flatten(keras.Model(model.input, others)(inputs, training=False)) if others else []
    return lambda features: rest([*keras.tree.flatten(inputs), features, *beside], training=False)


def gives_features(model: ZooModel) -> bool:
    """Whether the model's outputs are features themselves: pooled, or a pyramid."""
    return model.spec.task.endswith("-features") or isinstance(model.output, dict)


def named_features(features: Any) -> dict[str, Any]:
    """Features as the signature gives them, float32."""
    outputs = named(features) if isinstance(features, dict) else {"features": features}
    return {name: tf.cast(output, tf.float32) for name, output in outputs.items()}


def _head_inputs(model: ZooModel) -> list[Any]:
    entry = model.spec
    head = model.get_layer(entry.classifier) if entry.classifier else last_layer_with_weights(model)
    return keras.tree.flatten(head.input)
