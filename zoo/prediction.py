"""From pictures to named answers."""

import os
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
from PIL import Image

from zoo import segmentation
from zoo.errors import InputError
from zoo.labels import read_labels
from zoo.loading import load
from zoo.model import ZooModel

Source = str | os.PathLike | Image.Image | np.ndarray


class Prediction(dict):
    """A record that `json.dumps` takes. Where the task makes a picture, `picture` holds it as a PIL image.

    `label_map` is the class of each pixel of a semantic segmentation.
    """

    picture: Image.Image | None = None
    label_map: np.ndarray | None = None


def predict(
    model_or_handle: ZooModel | str, inputs: Source | Iterable[Source], *, top: int = 5, batch_size: int = 8
) -> list[Prediction]:
    """Prepare pictures, run the model, and say what came out in words and numbers.

    Args:
        model_or_handle: A model from `zoo.load`, or a handle for it.
        inputs: One image or several: paths, PIL images, or arrays `(height, width, 3)`, 0 to 255; an array
            `(count, height, width, channels)` is several. For a model of volumes: arrays `(depth, height, width)`, or
            paths of `.npy` files. For a model of coordinates: pairs (x, y) in pixels, an array `(count, 2)`, or texts
            such as `"40,12"`.
            For a forecaster: arrays `(time,)`, oldest first, in the unit it was trained on, or paths of `.npy` files.
        top: How many classes a classification names, best first.
        batch_size: How many images of one size go through the network at once.

    Returns:
        One record per input, in order, with `input` (the path, or `image N`), `model`, `task`, and by task:

        - `coordinate-classification`: `x` and `y`, the pixel with the highest score, and its `score` from 0 to 1;
          `record.picture` is the scores of all pixels, from black to white, the highest white.
        - `forecasting`: `forecast`, a list of floats: what follows the series, in its unit.
        - `image-classification`: `predictions`, a list of `{"index": int, "label": str or None, "score": float}` with
          softmax scores from 0 to 1.
        - `image-features`, `volume-features`: `features`, a list of floats: what the network pooled, or embeds it as.
        - `semantic-segmentation`: `width` and `height` of the prepared picture in pixels, and `classes`, a list of
          `{"index": int, "label": str or None, "area": float}`, largest first, with areas as shares of its pixels.
          `record.label_map` is the class of each pixel, `record.picture` the picture in the classes' colours.
        - `super-resolution`: `width` and `height` of the enlarged picture in pixels, which is `record.picture`.

    Raises:
        InputError: An image cannot be read, or an argument is out of range.
        As `zoo.load`, for a handle.

    Example:
        >>> import numpy as np, zoo
        >>> record = zoo.predict("espcn-x2", np.zeros((8, 6, 3), "uint8"))[0]
        >>> record["width"], record["height"], record.picture.size
        (12, 16, (12, 16))
    """
    if top < 1 or batch_size < 1:
        raise InputError(f"top={top}, batch_size={batch_size}. Expected both to be at least 1.")
    model = load(model_or_handle) if isinstance(model_or_handle, str | os.PathLike) else model_or_handle
    if not isinstance(model, ZooModel):
        raise InputError(f"The model is a {type(model).__name__}. Expected one from zoo.load, or a handle.")
    sources = list(_sources(inputs, several_rank=2 if model.spec.takes_coordinates else 4))
    records = []
    for start in range(0, len(sources), batch_size):
        batch = [model.preprocess(source) for source in sources[start : start + batch_size]]
        for offset, output in _outputs(model, batch):
            source = sources[start + offset]
            kind = "series" if model.spec.task == "forecasting" else "image"
            name = os.fspath(source) if isinstance(source, str | os.PathLike) else f"{kind} {start + offset}"
            if model.spec.takes_coordinates:
                name = "{:g},{:g}".format(*batch[offset])
            record = Prediction(input=name, model=model.spec.name, task=model.spec.task)
            records.append((start + offset, _answer(record, model, batch[offset], output, top)))
    return [record for _, record in sorted(records, key=lambda pair: pair[0])]


def _sources(inputs: Any, several_rank: int) -> Iterator[Source]:
    if isinstance(inputs, str | os.PathLike | Image.Image):
        yield inputs
    elif isinstance(inputs, np.ndarray):
        yield from inputs if inputs.ndim == several_rank else [inputs]
    else:
        yield from inputs


def _outputs(model: ZooModel, pictures: list[np.ndarray]) -> Iterator[tuple[int, np.ndarray]]:
    """Run pictures of one size together: pairs of position and output."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for position, picture in enumerate(pictures):
        by_shape.setdefault(picture.shape, []).append(position)
    for positions in by_shape.values():
        outputs = model(np.stack([pictures[position] for position in positions]), training=False)
        yield from zip(positions, keras.ops.convert_to_numpy(outputs), strict=True)


def _answer(record: Prediction, model: ZooModel, image: np.ndarray, output: np.ndarray, top: int) -> Prediction:
    if model.spec.task.endswith("-features"):
        record["features"] = output.tolist()
        return record
    if model.spec.task == "super-resolution":
        record.picture = Image.fromarray(np.clip(np.round(output), 0, 255).astype(np.uint8))
        record["width"], record["height"] = record.picture.size
        return record
    if model.spec.task == "coordinate-classification":
        scores = np.exp(output - output.max())
        y, x = np.unravel_index(int(scores.argmax()), scores.shape)
        record |= {"x": int(x), "y": int(y), "score": round(float(1 / scores.sum()), 6)}
        record.picture = Image.fromarray(np.round(255 * scores).astype(np.uint8))
        return record
    if model.spec.task == "forecasting":
        record["forecast"] = output.tolist()
        return record
    labels = read_labels(model.spec.labels)
    if model.spec.task == "semantic-segmentation":
        record["height"], record["width"] = image.shape[:2]
        record.label_map = segmentation.label_map(output, *image.shape[:2])
        record["classes"] = segmentation.areas(record.label_map, labels)
        record.picture = segmentation.overlay(image, record.label_map, record["classes"])
        return record
    scores = np.exp(output - output.max())
    scores /= scores.sum()
    record["predictions"] = [
        {"index": int(index), "label": labels[index] if labels else None, "score": round(float(scores[index]), 6)}
        for index in np.argsort(-scores, kind="stable")[:top]
    ]
    return record
