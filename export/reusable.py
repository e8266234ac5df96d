"""A Keras model as TensorFlow's reusable SavedModel: it serves, and `tensorflow_hub.KerasLayer` can fine-tune it.

The interface is TensorFlow's own (`__call__(inputs, training)`, `variables`, `trainable_variables`,
`regularization_losses`); Keras 3's `model.export` writes none of it.
"""

import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from zoo.export import graph_pictures
from zoo.export.exportable import named, takes_mask, takes_pictures, tensors
from zoo.export.variants import last_layer_with_weights
from zoo.labels import read_labels
from zoo.model import ZooModel
from zoo.registry import Entry

TOP = 5  # classes that a classification names


class Reusable(tf.Module):
    """What is saved.

    Args:
        model: The network; it is not saved itself, only its variables and the graphs of its calls.
        batch_size: None for any.
        compile_xla: Compile the network, not the decoding, with XLA.
        trainable: Trace the calls with `training=True` too.
    """

    variables = trainable_variables = None  # attributes here, properties in tf.Module

    def __init__(self, model: ZooModel, *, batch_size: int | None, compile_xla: bool, trainable: bool):
        super().__init__()
        self.variables = [variable.value for variable in model.variables]
        self.trainable_variables = [variable.value for variable in model.trainable_variables] if trainable else []
        self.regularization_losses = [
            _function(functools.partial(variable.regularizer, variable.value), input_signature=[])
            for variable in model.trainable_variables
            if trainable and variable.regularizer is not None
        ]

        def network(training):
            def call(inputs):
                outputs = _plain(model(inputs, training=training))
                return keras.tree.map_structure(lambda output: tf.cast(output, tf.float32), outputs)

            return call

        # Keras is traced once for each, not again for each way in.
        traced = {
            training: _function(network(training), jit_compile=compile_xla or None).get_concrete_function(
                _spec(model, batch_size, tf.float32)
            )
            for training in ((False, True) if trainable else (False,))
        }
        self.__call__ = _function(lambda inputs, training=False: traced[training](tensors(inputs)))
        for dtype in input_dtypes(model):
            for training in traced:
                self.__call__.get_concrete_function(_spec(model, batch_size, dtype), training=training)


# The functions here branch by tf.cond, or in Python on purpose: nothing for autograph to rewrite.
_function = functools.partial(tf.function, autograph=False)


def input_dtypes(model: ZooModel) -> list[Any]:
    """Pictures come as float or as bytes; everything else is floats."""
    return [tf.float32, tf.uint8] if takes_pictures(model) else [tf.float32]


def reads_files(model: ZooModel) -> bool:
    """Whether the prepared pixels of a picture file are what the model takes."""
    size = model.spec.input.size
    return takes_pictures(model) and model.input_shape[1:] in ((None, None, 3), (size, size, 3))


def _plain(outputs: Any) -> Any:
    """A feature pyramid by names; anything else as it is."""
    return named(outputs) if isinstance(outputs, dict) else outputs


def _spec(model: ZooModel, batch_size: int | None, dtype: Any) -> Any:
    """One tensor, or a dict of them, as the model's inputs."""

    def spec(layer_input):
        return tf.TensorSpec((batch_size, *layer_input.shape[1:]), dtype, name=layer_input.name)

    return keras.tree.map_structure(spec, model.input)


def signatures(model: ZooModel, reusable: Reusable, *, batch_size: int | None, compile_xla: bool) -> dict[str, Any]:
    """The ways in for a server: concrete functions by name, each from named tensors to named tensors."""
    entry, network = model.spec, reusable.__dict__["__call__"]

    def serve(**inputs):
        taken = _taken(model, inputs)
        return answer(entry, taken, network(taken, training=False))

    def serve_encoded(image_bytes):
        return serve(image=graph_pictures.decoded_batch(image_bytes, entry.input))

    extractor = _function(feature_extractor(model), jit_compile=compile_xla or None)

    def serve_features(**inputs):
        return named_features(extractor(_taken(model, inputs)))

    def traced(function, dtype):
        specs = keras.tree.flatten(_spec(model, batch_size, dtype))
        return _function(function).get_concrete_function(**{spec.name: spec for spec in specs})

    found = {"serving_default": traced(serve, tf.float32), "features": traced(serve_features, tf.float32)}
    if tf.uint8 in input_dtypes(model):
        found["serving_uint8"] = traced(serve, tf.uint8)
    if reads_files(model):
        contents = tf.TensorSpec((batch_size,), tf.string, name="image_bytes")
        found["encoded"] = _function(serve_encoded).get_concrete_function(contents)
    return found


def _taken(model: ZooModel, inputs: dict[str, Any]) -> Any:
    """The named tensors of a signature as the model takes them."""
    return inputs if takes_mask(model) else next(iter(inputs.values()))


def feature_extractor(model: ZooModel) -> Callable:
    """What the network knows before it answers: the input of its head, or of the last layer that learns."""
    entry = model.spec
    if entry.task.endswith("-features") or entry.features:
        outputs = model.output
    else:
        head = model.get_layer(entry.classifier) if entry.classifier else last_layer_with_weights(model)
        outputs = keras.tree.flatten(head.input)[0]  # a masked layer reads its mask too
    return functools.partial(keras.Model(model.input, outputs), training=False)


def named_features(features: Any) -> dict[str, Any]:
    """Features as the signature gives them, float32."""
    outputs = _plain(features) if isinstance(features, dict) else {"features": features}
    return {name: tf.cast(output, tf.float32) for name, output in outputs.items()}


def answer(entry: Entry, inputs: Any, outputs: Any) -> dict[str, Any]:
    """What `zoo.predict` says, as tensors, each with the batch as its first axis."""
    if isinstance(outputs, dict):
        return outputs
    labels = read_labels(entry.labels)
    if entry.task == "image-classification":
        scores = tf.nn.softmax(outputs)
        if labels is None:
            return {"scores": scores}
        best, indices = tf.math.top_k(scores, min(TOP, len(labels)))
        return {"scores": scores, "class_scores": best, "classes": tf.gather(tf.constant(labels), indices)}
    if entry.task == "semantic-segmentation":
        enlarged = tf.image.resize(outputs, tf.shape(inputs)[1:3], method="bilinear")
        answer = {"scores": tf.nn.softmax(outputs), "label_map": tf.argmax(enlarged, -1, output_type=tf.int32)}
        if labels is not None:
            answer["classes"] = tf.repeat(tf.constant([labels]), tf.shape(inputs)[0], axis=0)
        return answer
    if entry.task in ("super-resolution", "inpainting"):
        picture = tf.cast(tf.clip_by_value(tf.round(outputs), 0.0, 255.0), tf.uint8)
        return {"pixels": outputs, "picture": picture}
    if entry.task == "depth-completion":
        return {"metres": outputs}
    if entry.task == "coordinate-classification":
        pixels = tf.reshape(outputs, (tf.shape(outputs)[0], -1))
        return {"scores": tf.reshape(tf.nn.softmax(pixels), tf.shape(outputs))}
    if entry.task in ("coordinate-rendering", "volume-segmentation"):
        return {"scores": tf.sigmoid(outputs)}
    return {"features" if entry.task.endswith("-features") else "outputs": outputs}
