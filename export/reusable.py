"""A Keras model as TensorFlow's reusable SavedModel: it serves, and `tensorflow_hub.KerasLayer` can fine-tune it.

The interface is TensorFlow's own (`__call__(inputs, training)`, `variables`, `trainable_variables`,
`regularization_losses`); Keras 3's `model.export` writes none of it.
"""

import functools
from typing import Any

import keras
import tensorflow as tf

from zoo.export import graph_images
from zoo.export.answers import answer
from zoo.export.explanations import map_answer, with_map
from zoo.export.exportable import named, takes_images, takes_mask, tensors
from zoo.export.features import feature_extractor, named_features
from zoo.model import ZooModel
from zoo.tasks import find_task


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
                return keras.tree.map_structure(_float32, outputs)

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
    """Images come as float or as bytes; everything else is floats."""
    return [tf.float32, tf.uint8] if takes_images(model) else [tf.float32]


def reads_files(model: ZooModel) -> bool:
    """Whether the prepared pixels of an image file, in colour or grey, are what the model takes."""
    size, channels = model.spec.input.size, len(model.spec.input.mean)
    shapes = ((None, None, channels), (size, size, channels))
    return takes_images(model) and channels in (1, 3) and model.input_shape[1:] in shapes


def _float32(output: Any) -> Any:
    """Numbers of any precision as float32; whole numbers as they are."""
    return tf.cast(output, tf.float32) if output.dtype.is_floating else output


def _plain(outputs: Any) -> Any:
    """Outputs with names by names that a signature can have; one output as it is."""
    return named(outputs) if isinstance(outputs, dict | list | tuple) else outputs


def _spec(model: ZooModel, batch_size: int | None, dtype: Any) -> Any:
    """One tensor, or a dict of them, as the model's inputs."""

    def spec(layer_input):
        return tf.TensorSpec((batch_size, *layer_input.shape[1:]), dtype, name=layer_input.name)

    return keras.tree.map_structure(spec, model.input)


def signatures(
    model: ZooModel, reusable: Reusable, *, batch_size: int | None, compile_xla: bool, explain: bool = False
) -> dict[str, Any]:
    """The ways in for a server: concrete functions by name, each from named tensors to named tensors."""
    entry, network = model.spec, reusable.__dict__["__call__"]

    def serve(**inputs):
        taken = _taken(model, inputs)
        outputs = network(taken, training=False)
        return answer(entry, taken, outputs) if find_task(entry.task).reads(outputs) else outputs

    def serve_encoded(*, image_bytes):
        pixels = graph_images.decoder(entry.input)(image_bytes)
        given = tf.ensure_shape(pixels, _spec(model, batch_size, tf.float32).shape)
        answered = serve(**{model.inputs[0].name: given})
        if entry.task == "object-detection" and "boxes" in answered:
            answered["boxes"] = graph_images.in_whole(answered["boxes"], image_bytes, entry.input)
        return answered

    extractor = _function(feature_extractor(model), jit_compile=compile_xla or None)

    def serve_features(**inputs):
        return named_features(extractor(_taken(model, inputs)))

    def traced(function, dtype):
        specs = keras.tree.flatten(_spec(model, batch_size, dtype))
        return _function(function).get_concrete_function(**{spec.name: spec for spec in specs})

    found = {"serving_default": traced(serve, tf.float32)}
    if not find_task(entry.task).reads(model.output) or not isinstance(model.output, dict):
        found["features"] = traced(serve_features, tf.float32)
    if tf.uint8 in input_dtypes(model):
        found["serving_uint8"] = traced(serve, tf.uint8)
    if reads_files(model):
        contents = tf.TensorSpec((batch_size,), tf.string, name="image_bytes")
        found["encoded"] = _function(serve_encoded).get_concrete_function(image_bytes=contents)
    if explain:
        explained = _function(functools.partial(with_map(model), training=False), jit_compile=compile_xla or None)

        def serve_explain(**inputs):
            taken = _taken(model, inputs)
            return map_answer(model, taken, *explained(taken))

        found["explain"] = traced(serve_explain, tf.float32)
    return found


def _taken(model: ZooModel, inputs: dict[str, Any]) -> Any:
    """The named tensors of a signature as the model takes them."""
    return inputs if takes_mask(model) else next(iter(inputs.values()))
