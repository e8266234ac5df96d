"""The outputs of a SavedModel's signatures: what `zoo.predict` returns, as tensors, by task.

Tensors that belong together stand in one order: `classes`, `scores` and `indices` best first, `probabilities` and
`labels` in the order of the classes. `signature_check.py` checks all this against the code of
`zoo.predict`, and uses nothing of this file.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
import tensorflow as tf

from zoo.catalogue.entry import Entry
from zoo.catalogue.task_names import TaskName
from zoo.labels import read_labels

TOP = 5  # classes that a classification names


class Answer(NamedTuple):
    """The outputs of one task's signatures.

    Attributes:
        tensors: From the entry, the inputs and the network's outputs to named tensors, each with the batch first.
        meanings: What each of them is, with its unit, for the card beside an export.
        agreement: How well a rounded network's outputs agree with the exact ones, in what the task measures.
    """

    tensors: Callable[[Entry, Any, Any], dict[str, Any]]
    meanings: dict[str, str]
    agreement: Callable[[np.ndarray, np.ndarray], dict[str, float]]


def answer(entry: Entry, inputs: Any, outputs: Any) -> dict[str, Any]:
    """The tensors of the entry's task, each with the batch as its first axis."""
    return ANSWERS[entry.task].tensors(entry, inputs, outputs)


def _classes(entry: Entry, inputs: Any, logits: Any) -> dict[str, Any]:
    return _best(entry, tf.nn.softmax(logits))


def _labels(entry: Entry, inputs: Any, logits: Any) -> dict[str, Any]:
    return _best(entry, tf.sigmoid(logits))


def _best(entry: Entry, probabilities: Any) -> dict[str, Any]:
    scores, indices = tf.math.top_k(probabilities, min(TOP, probabilities.shape[-1]))
    answer = {"scores": scores, "indices": indices, "probabilities": probabilities}
    labels = read_labels(entry.labels)
    return answer | ({} if labels is None else {"classes": tf.gather(tf.constant(labels), indices)})


def _quantities(entry: Entry, inputs: Any, values: Any) -> dict[str, Any]:
    labels = read_labels(entry.labels)
    return {"values": values} | ({} if labels is None else {"names": tf.repeat([labels], tf.shape(inputs)[0], axis=0)})


def _label_map(entry: Entry, inputs: Any, logits: Any) -> dict[str, Any]:
    if logits.shape[-1] == 1:  # of a class, or none
        logits = tf.concat([tf.zeros_like(logits), logits], -1)
    enlarged = tf.image.resize(logits, tf.shape(inputs)[1:3], method="bilinear")
    answer = {"label_map": tf.argmax(enlarged, -1, output_type=tf.int32), "probabilities": tf.nn.softmax(logits)}
    labels = read_labels(entry.labels)
    # Servers want the batch in every output.
    return answer | ({} if labels is None else {"labels": tf.repeat([labels], tf.shape(inputs)[0], axis=0)})


def _image(entry: Entry, inputs: Any, pixels: Any) -> dict[str, Any]:
    return {"pixels": pixels, "image": tf.cast(tf.clip_by_value(tf.round(pixels), 0.0, 255.0), tf.uint8)}


def _pixel(entry: Entry, inputs: Any, logits: Any) -> dict[str, Any]:
    shape = tf.shape(logits)
    probabilities = tf.nn.softmax(tf.reshape(logits, (shape[0], -1)))
    best = tf.argmax(probabilities, -1, output_type=tf.int32)
    return {
        "x": best % shape[2],
        "y": best // shape[2],
        "score": tf.reduce_max(probabilities, -1),
        "probabilities": tf.reshape(probabilities, shape),
    }


def _boxes(entry: Entry, inputs: Any, outputs: Any) -> dict[str, Any]:
    answer = {name: outputs[name] for name in ("boxes", "scores", "count")} | {"indices": outputs["classes"]}
    labels = read_labels(entry.labels)
    if labels is None:
        return answer
    return answer | {"classes": tf.gather(tf.constant(["", *labels]), outputs["classes"] + 1)}  # -1 is none


def _voxels(entry: Entry, inputs: Any, logits: Any) -> dict[str, Any]:
    return {"label_map": tf.cast(logits[..., 0] > 0, tf.int32), "probabilities": tf.sigmoid(logits[..., 0])}


def _psnr(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    error = np.mean((np.clip(ours, 0, 255) - np.clip(theirs, 0, 255)) ** 2)
    return {"psnr_db": float(10 * np.log10(255**2 / max(error, 1e-10)))}


def _same_class(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    found = [logits.argmax(-1) if logits.shape[-1] > 1 else logits > 0 for logits in (ours, theirs)]
    return {"same_class_percent": float(100 * np.mean(found[0] == found[1]))}


def _same_labels(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    return {"same_label_percent": float(100 * np.mean((ours >= 0) == (theirs >= 0)))}


def cosine(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    """The cosine between two sets of numbers, 1 where they agree."""
    lengths = np.linalg.norm(ours) * np.linalg.norm(theirs)
    return {"cosine_similarity": float(np.sum(ours * theirs) / max(lengths, 1e-12))}


_PROBABILITIES = "of each class, from 0 to 1, in the order of labels.txt (`probabilities[i]` is of line i, from 0)"
_PIXELS = {"pixels": "RGB, 0 to 255, neither rounded nor clipped", "image": "`pixels`, rounded and clipped"}
_FEATURES = {"features": "what the network pooled or embedded, without a unit"}

ANSWERS: dict[TaskName, Answer] = {
    "coordinate-classification": Answer(
        _pixel,
        {
            "x": "column of the pixel with the highest score, from 0",
            "y": "its row, from 0",
            "score": "its score, from 0 to 1",
            "probabilities": "of each pixel of the canvas, from 0 to 1; their sum is 1",
        },
        cosine,
    ),
    "coordinate-regression": Answer(
        lambda entry, inputs, places: {"x": places[:, 0], "y": places[:, 1]},
        {"x": "column, in pixels from 0", "y": "row, in pixels from 0"},
        cosine,
    ),
    "coordinate-rendering": Answer(
        lambda entry, inputs, logits: {"brightness": tf.sigmoid(logits)},
        {"brightness": "of each pixel of the canvas, from 0 to 1; above 0.5 it is drawn"},
        cosine,
    ),
    "depth-completion": Answer(
        lambda entry, inputs, metres: {"metres": metres}, {"metres": "the depth of each pixel, in metres"}, cosine
    ),
    "forecasting": Answer(
        lambda entry, inputs, forecast: {"forecast": forecast},
        {"forecast": "the steps that follow, in the unit of the series"},
        cosine,
    ),
    "image-classification": Answer(
        _classes,
        {
            "classes": "names of the best classes, best first",
            "scores": "of these classes, in the same order, from 0 to 1",
            "indices": "of these classes, in the same order: lines of labels.txt, from 0",
            "probabilities": _PROBABILITIES,
        },
        _same_class,
    ),
    "image-features": Answer(lambda entry, inputs, features: {"features": features}, _FEATURES, cosine),
    "image-regression": Answer(
        _quantities,
        {"values": "the quantities, in the order of labels.txt", "names": "the lines of labels.txt"},
        cosine,
    ),
    "inpainting": Answer(_image, _PIXELS, cosine),
    "multi-label-classification": Answer(
        _labels,
        {
            "classes": "names of the labels with the highest scores, highest first; those of at least 0.5 apply",
            "scores": "of these labels, in the same order, from 0 to 1",
            "indices": "of these labels, in the same order: lines of labels.txt, from 0",
            "probabilities": f"{_PROBABILITIES}; each label applies or not, so their sum is any",
        },
        _same_labels,
    ),
    "object-detection": Answer(
        _boxes,
        {
            "boxes": "x1, y1, x2 and y2 in pixels, best first: of the image that is given, of a file as it is upright",
            "scores": "of these boxes, in the same order, from 0 to 1; 0 where there are no more",
            "count": "how many boxes there are",
            "indices": "of the classes of these boxes, in the same order: lines of labels.txt, from 0; -1 behind them",
            "classes": "the lines of labels.txt",
        },
        cosine,
    ),
    "semantic-segmentation": Answer(
        _label_map,
        {
            "label_map": "the class of each pixel of the image, a line of labels.txt, from 0",
            "probabilities": f"{_PROBABILITIES}, on the network's own, often smaller map",
            "labels": "the lines of labels.txt, so that `labels[label_map]` is the name of a pixel's class",
        },
        _same_class,
    ),
    "super-resolution": Answer(_image, _PIXELS, _psnr),
    "volume-features": Answer(lambda entry, inputs, features: {"features": features}, _FEATURES, cosine),
    "volume-segmentation": Answer(
        _voxels,
        {"label_map": "1 for the voxels that are found, else 0", "probabilities": "of each voxel, from 0 to 1"},
        cosine,
    ),
}


def agreement(entry: Entry, outputs: dict[str, np.ndarray], reference: dict[str, np.ndarray]) -> dict[str, float]:
    """How well a rounded network agrees with the exact one, in what its task measures; outputs with names by cosine."""
    ours, theirs = ({name: value.astype("float64") for name, value in found.items()} for found in (outputs, reference))
    if list(theirs) == ["output"]:
        return ANSWERS[entry.task].agreement(ours["output"], theirs["output"])
    flat = [np.concatenate([cast(np.ndarray, found[name]).ravel() for name in theirs]) for found in (ours, theirs)]
    return cosine(*flat)
