"""What a model looks at: a map over the image of what speaks for a prediction."""

import os
from typing import Any, Literal

import keras
import numpy as np
from PIL import Image

from zoo.architectures.activation_maps import activation_map, last_map, linear_head, mean_gradients
from zoo.arguments import did_you_mean
from zoo.catalogue.entry import Entry
from zoo.datasets.class_names import find_classes
from zoo.errors import InputError
from zoo.imaging.depth_colors import colors
from zoo.imaging.forms import several
from zoo.imaging.label_maps import of_two_classes
from zoo.labels import label_at, output_names, read_labels, read_synsets
from zoo.loading import ready
from zoo.model import ZooModel
from zoo.prediction import alone, check_fits
from zoo.tasks import find_task
from zoo.weights.untrained import warn_of_untrained

TASKS = ("image-classification", "image-regression", "multi-label-classification", "semantic-segmentation")


class Explanation(dict):
    """A record that `json.dumps` takes, with the map and an image of it.

    Attributes:
        map: float32 `(height, width)`, 0 to 1, of the image as the model takes it (`model.preprocess(image)`).
        image: That image, covered by the map: dark where nothing speaks for the prediction, bright where most does.
    """

    map: np.ndarray
    image: Image.Image


def explain(model: ZooModel | str | os.PathLike[str], image: Any, *, label: str | int | None = None) -> Explanation:
    """Show where in an image a model sees what it predicts.

    The map is a class activation map where the head is linear on the mean of the last map (ResNet, EfficientNet and
    most others), and Grad-CAM for all other classifiers. Its resolution is that of the last map, a 32nd of the image in
    most networks. Of a segmentation it is the confidence: the probability of each pixel's class, or of `label`.

    Args:
        model: A model from `zoo.load`, or a handle for it: of a classification, of one class or of several labels, of a
            regression or of a segmentation.
        image: One image, in any form that `zoo.predict` takes.
        label: The name or the number of a class, label or quantity. By default the one with the highest score; the
            first quantity; or each pixel's own class.

    Returns:
        A record with `input`, `model`, `task`, `method` (`"cam"`, `"grad-cam"` or `"confidence"`), and `index`, `label`
        and `score` of what is explained, where that is one class; `record.map` and `record.image`.

    Raises:
        InputError: The model is of another task, the image cannot be read, or there is no such label.
        As `zoo.load`, for a handle.

    Example:
        >>> import numpy as np, zoo
        >>> record = zoo.explain("blurnet-textures", np.random.default_rng(0).integers(0, 256, (64, 64, 3), "uint8"))
        >>> record["method"], record.map.shape, record.image.size
        ('cam', (64, 64), (64, 64))
    """
    model = ready(model)
    entry, task = model.spec, find_task(model.spec.task)
    if entry.task not in TASKS or isinstance(model.output, dict):
        raise InputError(
            f"zoo.explain does not fit {entry.name} ({entry.task}). Expected a model of {', '.join(TASKS)}."
        )
    warn_of_untrained(model)
    index = None if label is None else label_index(entry, label)
    sources = list(several(image, task.is_several))
    if len(sources) != 1:
        raise InputError(f"There are {len(sources)} images. Expected one.")
    prepared = np.asarray(task.prepare(sources[0], entry))
    check_fits(model, alone(prepared))
    explained = confidence if entry.task == "semantic-segmentation" else activations
    method, found, facts = explained(model, prepared, index)
    record = Explanation(input=task.name(sources[0], 0, prepared), model=entry.name, task=entry.task, method=method)
    record |= facts
    record.map = enlarged(found, *prepared.shape[:2])
    record.image = covered(prepared, record.map)
    return record


def label_index(entry: Entry, label: str | int) -> int:
    """The number of a class by its name, its synset, or the number itself.

    Raises:
        InputError: There is none.
    """
    names = output_names(entry.labels, entry.num_classes)
    if isinstance(label, int) and 0 <= label < len(names):  # a name may be another number
        return int(label)
    try:
        return find_classes([str(label)], names, read_synsets(entry.labels))[0][0]
    except InputError as error:
        raise InputError(
            f"label={label!r} is not a label of {entry.name}. Expected one of its {len(names)}, by name or number. "
            f"{did_you_mean(str(label), names)}".rstrip()
        ) from error


def enlarged(found: np.ndarray, height: int, width: int) -> np.ndarray:
    """A map of any size as one of an image's, bilinear: float32 `(height, width)`."""
    larger = keras.ops.image.resize(found[..., None], (height, width), "bilinear", data_format="channels_last")
    return np.clip(keras.ops.convert_to_numpy(larger)[..., 0], 0, 1).astype(np.float32)


def covered(pixels: np.ndarray, found: np.ndarray) -> Image.Image:
    """An image under a map of its size; of many bands the first three are shown, of fewer the first in grey."""
    shown = pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., :1].repeat(3, axis=-1)
    mixed = (np.asarray(shown, np.float32) + colors(found)) / 2
    return Image.fromarray(np.clip(np.round(mixed), 0, 255).astype(np.uint8))


def activations(
    model: ZooModel, prepared: np.ndarray, index: int | None
) -> tuple[Literal["cam", "grad-cam"], np.ndarray, dict[str, Any]]:
    """The map, of its own size, of one output of a classifier, and what that output is.

    Args:
        model: Of a classification, of one class or of several labels, or of a regression.
        prepared: One image as the model takes it, `(height, width, channels)`.
        index: Of the output; None for the largest, or the first quantity.
    """
    of_map = last_map(model, *prepared.shape[:2])
    if of_map is None:
        raise InputError(
            f"{model.spec.name} has no last map of an image of {prepared.shape[:2]}. Expected a larger one."
        )
    values, outputs = keras.Model(model.input, [of_map, model.output])(alone(prepared), training=False)
    outputs = keras.ops.convert_to_numpy(outputs)[0]
    if index is None:
        index = 0 if model.spec.task == "image-regression" else int(outputs.argmax())
    head = linear_head(model, of_map)
    if head is not None:
        weights = keras.ops.convert_to_numpy(head.kernel)[None, :, index]
    else:
        weights = mean_gradients(keras.Model(of_map, model.output), values, index)
    found = keras.ops.convert_to_numpy(activation_map(values, weights))[0]
    facts = {
        "index": index,
        "label": label_at(read_labels(model.spec.labels), index),
        "score": round(float(find_task(model.spec.task).scores(outputs)[index]), 6),
    }
    return "cam" if head is not None else "grad-cam", found, facts


def confidence(
    model: ZooModel, prepared: np.ndarray, index: int | None
) -> tuple[Literal["confidence"], np.ndarray, dict[str, Any]]:
    """The probability of each pixel's class, or of the class `index`, on the network's own map."""
    logits = of_two_classes(model(alone(prepared), training=False))
    scores = keras.ops.convert_to_numpy(keras.ops.softmax(logits, axis=-1))[0]
    if index is None:
        return "confidence", scores.max(axis=-1), {}
    facts = {"index": index, "label": label_at(read_labels(model.spec.labels), index)}
    return "confidence", scores[..., index], {**facts, "score": round(float(scores[..., index].max()), 6)}
