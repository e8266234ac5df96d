"""What an export gives beside its outputs on request: the map of what speaks for them, without gradients."""

from typing import Any

import keras
import numpy as np

from zoo.architectures.activation_maps import explained
from zoo.errors import ExportError
from zoo.explanation import activations, confidence, enlarged
from zoo.export.exportable import ANY_SIDE
from zoo.imaging.label_maps import of_two_classes
from zoo.labels import read_labels
from zoo.model import ZooModel

SEGMENTATION = "semantic-segmentation"


def with_map(model: ZooModel) -> keras.Model:
    """From an image to the outputs and their map: of a classifier `(batch, h, w)` of its last map, see `BestMap`; of a
    segmentation the confidence, of its own map.

    Raises:
        ExportError: The head needs gradients, or the model is of another task.
    """
    if model.spec.task == SEGMENTATION and not isinstance(model.output, dict):
        scores = keras.ops.max(keras.ops.softmax(of_two_classes(model.output), axis=-1), axis=-1)
        return keras.Model(model.input, [model.output, scores])
    side = model.spec.input.size or ANY_SIDE
    is_classifier = model.spec.problem_type is not None and not isinstance(model.output, dict)
    height, width = (length or side for length in model.input_shape[1:3]) if is_classifier else (side, side)
    is_first = model.spec.task == "image-regression"
    found = explained(model, height, width, is_first=is_first) if is_classifier else None
    if found is None:
        raise ExportError(
            f"{model.spec.name} ({model.spec.task}) cannot be explained without gradients. Expected a segmentation, or "
            "a classifier whose head is linear on the mean of its last map, such as resnet50 or tf_efficientnet_lite0; "
            "zoo.explain takes any classifier."
        )
    return found


def map_answer(model: ZooModel, inputs: Any, outputs: Any, found: Any) -> dict[str, Any]:
    """The tensors of the signature `explain`: the map in the size of the image, and what it is the map of."""
    import tensorflow as tf

    answer = {"map": tf.image.resize(found[..., None], tf.shape(inputs)[1:3], method="bilinear")[..., 0]}
    if model.spec.task == SEGMENTATION:
        return answer
    index = tf.argmax(outputs, -1, output_type=tf.int32)
    index = tf.zeros_like(index) if model.spec.task == "image-regression" else index
    labels = read_labels(model.spec.labels)
    return answer | {"index": index} | ({} if labels is None else {"label": tf.gather(tf.constant(labels), index)})


def expected_answer(model: ZooModel, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """The same by the code of `zoo.explain`."""
    maps, indices = [], []
    for prepared in inputs:
        explain = confidence if model.spec.task == SEGMENTATION else activations
        _, found, facts = explain(model, prepared, None)
        maps.append(enlarged(found, *prepared.shape[:2]))
        indices.append(facts.get("index", -1))
    if indices[0] < 0:
        return {"map": np.stack(maps)}
    labels = read_labels(model.spec.labels)
    named = {} if labels is None else {"label": np.array([labels[index].encode() for index in indices], object)}
    return {"map": np.stack(maps), "index": np.array(indices, np.int32), **named}
