"""From pictures to named answers."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
from PIL import Image

from zoo.errors import InputError
from zoo.loading import ready
from zoo.model import ZooModel
from zoo.tasks import find_task
from zoo.tasks.task import Outputs, Prediction, Prepared

Source = str | os.PathLike | Image.Image | np.ndarray | Mapping[str, Any]


def predict(
    model_or_handle: ZooModel | str | os.PathLike[str],
    inputs: Source | Iterable[Source],
    *,
    top: int = 5,
    batch_size: int = 8,
) -> list[Prediction]:
    """Prepare pictures, run the model, and say what came out in words and numbers.

    Args:
        model_or_handle: A model from `zoo.load`, or a handle for it.
        inputs: One image or several: paths, PIL images, or arrays `(height, width, 3)`, 0 to 255; an array
            `(count, height, width, channels)` is several. For a model of volumes: arrays `(depth, height, width)`, or
            paths of `.npy` files. For a model of coordinates: pairs (x, y) in pixels, an array `(count, 2)`, or texts
            such as `"40,12"`. For inpainting: pictures with transparent holes, or `{"image": ..., "mask": ...}`. For
            depth: 16-bit PNG files (metres x 256, 0 = none), or arrays of metres `(height, width)`.
            For a forecaster: arrays `(time,)`, oldest first, in the unit it was trained on, or paths of `.npy` files.
        top: How many classes a classification names, best first.
        batch_size: How many images of one size go through the network at once.

    Returns:
        One record per input, in order, with `input` (the path, or `image N`), `model`, `task`, and by task:

        - `coordinate-classification`: `x` and `y`, the pixel with the highest score, and its `score` from 0 to 1;
          `record.picture` is the scores of all pixels, from black to white, the highest white.
        - `coordinate-regression`: `x` and `y` in pixels, floats.
        - `coordinate-rendering`: `pixels`, how many are drawn; `record.picture` is the canvas.
        - `depth-completion`: `measured`, the share of pixels with a depth, `nearest_metres` and `farthest_metres`;
          `record.depth_map` holds the metres, float32 `(height, width)`, and `record.picture` shows them.
        - `forecasting`: `forecast`, a list of floats: what follows the series, in its unit.
        - `image-classification`: `predictions`, a list of `{"index": int, "label": str or None, "score": float}` with
          softmax scores from 0 to 1.
        - `image-features`, `volume-features`: `features`, a list of floats: what the network pooled, or embeds it as.
        - `inpainting`: `hole`, the share of pixels that were filled; `record.picture` is the whole picture.
        - `semantic-segmentation`: `width` and `height` of the prepared picture in pixels, and `classes`, a list of
          `{"index": int, "label": str or None, "area": float}`, largest first, with areas as shares of its pixels.
          `record.label_map` is the class of each pixel, `record.picture` the picture in the classes' colours.
        - `super-resolution`: `width` and `height` of the enlarged picture in pixels, which is `record.picture`.
        - `volume-segmentation`: `voxels`, how many were found; `record.label_map` is 1 for them, `record.picture` the
          `slice` with the most of them.

        A model whose outputs have names, such as a feature pyramid, gives `outputs`, their shapes by name, and
        `record.outputs`, the arrays.

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
    model = ready(model_or_handle)
    task = find_task(model.spec.task)
    sources = list(_sources(inputs, task.several_rank))
    records = []
    for start in range(0, len(sources), batch_size):
        batch = [task.prepare(source, model.spec) for source in sources[start : start + batch_size]]
        for offset, output in _outputs(model, batch):
            position = start + offset
            name = task.name(sources[position], position, batch[offset])
            records.append((position, task.record(name, model.spec, batch[offset], output, top)))
    return [record for _, record in sorted(records, key=lambda pair: pair[0])]


def _sources(inputs: Any, several_rank: int) -> Iterator[Source]:
    if isinstance(inputs, str | os.PathLike | Image.Image | Mapping):
        yield inputs
    elif isinstance(inputs, np.ndarray):
        yield from inputs if inputs.ndim == several_rank else [inputs]
    else:
        yield from inputs


def _outputs(model: ZooModel, batch: list[Prepared]) -> Iterator[tuple[int, Outputs]]:
    """Run inputs of one size together: pairs of position and output."""
    for positions, stacked in by_shape(batch):
        outputs = keras.tree.map_structure(keras.ops.convert_to_numpy, model(stacked, training=False))
        yield from zip(positions, each(outputs), strict=True)


def each(outputs: Outputs) -> Iterator[Outputs]:
    """The outputs of a batch, one input's after another's."""
    for position in range(len(keras.tree.flatten(outputs)[0])):
        yield keras.tree.map_structure(lambda array, position=position: array[position], outputs)


def by_shape(batch: list[Prepared]) -> Iterator[tuple[list[int], Prepared]]:
    """The inputs of each size as one batch, with their positions."""
    found: dict[Any, list[int]] = {}
    for position, prepared in enumerate(batch):
        shapes = [array.shape for array in keras.tree.flatten(prepared)]
        found.setdefault(tuple(shapes), []).append(position)
    for positions in found.values():
        yield (
            positions,
            keras.tree.map_structure(lambda *arrays: np.stack(arrays), *(batch[place] for place in positions)),
        )
