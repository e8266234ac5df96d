"""From inputs to predictions."""

import os
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, TypeVar

import keras
import numpy as np

from zoo.arguments import at_least_one
from zoo.errors import InputError
from zoo.export.opened import ExportedModel, layers_of
from zoo.imaging.forms import several
from zoo.imaging.orientations import averaging
from zoo.imaging.tiles import Runner
from zoo.loading import answering
from zoo.model import ZooModel
from zoo.printing import as_text
from zoo.tasks import find_task
from zoo.tasks.task import Outputs, Prediction, Prepared, Task
from zoo.weights.untrained import warn_of_untrained

Item = TypeVar("Item")
LARGEST_BATCH = 1 << 25  # values: a photograph of 12 megapixels goes alone


def predict(
    model: ZooModel | ExportedModel | str | os.PathLike[str],
    inputs: Any,
    *,
    top: int = 5,
    batch_size: int = 8,
    tta: str | None = None,
) -> list[Prediction]:
    """Preprocess inputs, run the model, and return its predictions as records.

    Args:
        model: A model from `zoo.load`, or a handle for it; or the folder of an export, which its own runtime runs.
        inputs: One input or several, in any form of `zoo.imaging.forms`: a path, the bytes of a file, an open file, a
            Pillow image, an array or a tensor of any backend; a list, tuple, iterator or `tf.data.Dataset` of these is
            several, taken `batch_size` at a time. An image is `(height, width, channels)`, 0 to 255; an
            array `(count, height, width, channels)` is several. For a model of volumes: arrays `(depth, height,
            width)`, or `.npy` files. For a model of coordinates: pairs (x, y) in pixels, an array `(count, 2)`, or
            texts such as `"40,12"`. For inpainting: images with transparent holes, or `{"image": ..., "mask": ...}`.
            For depth: 16-bit PNG files (metres x 256, 0 = none), or arrays of metres `(height, width)`. For a
            forecaster: arrays `(time,)`, oldest first, in the unit it was trained on, or `.npy` files.
        top: Number of classes in a classification, best first.
        batch_size: Images of one size per forward pass.
        tta: `"flip"` averages the outputs (test-time augmentation): of super-resolution over the image turned and
            mirrored in all eight ways, which takes eight times as long; of heads on images and of semantic segmentation
            over the image and its mirror image. `"multi"` is that at three sizes, for the latter.

    Returns:
        One record per input, in order, with `input` (the path, or `image N`, from 0), `model`, `task`, and by task:

        - `coordinate-classification`: `x` and `y`, the pixel with the highest score, and its `score` from 0 to 1;
          `record.image` is the scores of all pixels, from black to white, the highest white.
        - `coordinate-regression`: `x` and `y` in pixels, floats.
        - `coordinate-rendering`: `pixels`, the number of drawn pixels; `record.image` is the canvas.
        - `depth-completion`: `measured`, the share of pixels with a depth, `nearest_metres` and `farthest_metres`;
          `record.depth_map` contains the metres, float32 `(height, width)`, and `record.image` shows them.
        - `forecasting`: `forecast`, a list of floats: what follows the series, in its unit.
        - `image-classification`: `predictions`, a list of `{"index": int, "label": str or None, "score": float}` with
          softmax scores from 0 to 1.
        - `image-features`, `volume-features`: `features`, a list of floats: the pooled features or the embedding.
        - `image-regression`: `values`, the quantities by name, floats, and `units`, their units by name, of those that
          have one.
        - `inpainting`: `hole`, the share of pixels that were filled; `record.image` is the whole image.
        - `multi-label-classification`: `labels`, the names of those that apply, with a sigmoid score of a half or more,
          best first; `predictions` as of `image-classification`, with these scores.
        - `object-detection`: `width` and `height` of the whole image in pixels, and `predictions`, the objects in it, a
          list of `{"index": int, "label": str or None, "score": float, "box": [x1, y1, x2, y2]}`, best first, in
          pixels of the image as it is upright. `record.image` shows those with a score of at least 0.3.
        - `semantic-segmentation`: `width` and `height` of the prepared image in pixels, and `classes`, a list of
          `{"index": int, "label": str or None, "area": float}`, largest first, with areas as shares of its pixels.
          `record.label_map` is the class of each pixel, `record.image` the image in the classes' colours.
        - `super-resolution`: `width` and `height` of the enlarged image in pixels, which is `record.image`.
        - `volume-segmentation`: `voxels`, the number of voxels found; `record.label_map` is 1 for them, `record.image`
          the `slice` with the most of them.

        A model whose outputs have names, such as a feature pyramid, gives `outputs`, their shapes by name, and
        `record.outputs`, the arrays.

        Untrained layers, such as a new head, are named in a warning, once per model.

    Raises:
        InputError: An input cannot be read (the message names it), or an argument is out of range.
        As `zoo.load`, for a handle.

    Example:
        >>> import numpy as np, zoo
        >>> record = zoo.predict("espcn-x2", np.zeros((8, 6, 3), "uint8"))[0]
        >>> record["width"], record["height"], record.image.size
        (12, 16, (12, 16))
    """
    top, batch_size = at_least_one(top=top, batch_size=batch_size)
    model = answering(model)
    if isinstance(model, ZooModel):
        warn_of_untrained(model)
    network = layers_of(model)
    task = find_task(model.spec.task)
    sources = enumerate(several(inputs, task.is_several))
    runner = Runner(averaging(lambda batch: model(batch, training=False), network, tta), network)
    records: list[Prediction] = []
    named = (_prepared(task, model, *source) for source in sources)
    for batch in batches(named, batch_size, itemgetter(1)):
        outputs = sorted(_outputs(runner, [prepared for _, prepared in batch]), key=lambda output: output[0])
        for (name, prepared), (_, output) in zip(batch, outputs, strict=True):
            records.append(task.record(name, model.spec, prepared, output, top))
    return records


def _prepared(task: Task, model: ZooModel | ExportedModel, position: int, source: Any) -> tuple[str, Prepared]:
    """What a source is called, and what the model takes of it."""
    try:
        prepared = task.prepare(source, model.spec)
        check_fits(model, alone(prepared))
    except InputError as error:
        name = source if isinstance(source, str) else f"{task.kind} {position}"
        if as_text(name) in str(error):
            raise
        raise type(error)(f"{name}: {error}") from error
    return task.name(source, position, prepared), prepared


def check_fits(model: ZooModel | ExportedModel, inputs: Prepared) -> None:
    """Check that a model of a fixed input takes a batch, whose axis of one channel may be left out.

    Raises:
        InputError: It was loaded for inputs of another size.
    """
    for layer, array in zip(keras.tree.flatten(model.input), keras.tree.flatten(inputs), strict=True):
        wanted, found = layer.shape[1:], array.shape[1:]
        given = (*found, 1) if wanted[-1] == 1 and len(found) == len(wanted) - 1 else found
        if len(given) != len(wanted) or any(size not in (None, have) for size, have in zip(wanted, given, strict=True)):
            raise InputError(
                f"An input has the shape {found}, {model.spec.name} takes {wanted}. Expected inputs "
                "that fit, or a model that was loaded without input_shape."
            )


def alone(prepared: Prepared) -> Prepared:
    """One input as a batch, which is not copied."""
    return keras.tree.map_structure(lambda array: array[None], prepared)


def batches(items: Iterable[Item], batch_size: int, prepared: Callable[[Item], Prepared]) -> Iterator[list[Item]]:
    """So many at once, or fewer large ones: `prepared` is what an item contains."""
    batch, values = [], 0
    for item in items:
        batch.append(item)
        values += sum(np.size(array) for array in keras.tree.flatten(prepared(item)))
        if len(batch) == batch_size or values > LARGEST_BATCH:
            yield batch
            batch, values = [], 0
    if batch:
        yield batch


def _outputs(runner: Runner, batch: list[Prepared]) -> Iterator[tuple[int, Outputs]]:
    """Run inputs of one size together: pairs of position and output."""
    for positions, stacked in by_shape(batch):
        yield from zip(positions, runner(stacked), strict=True)


def by_shape(batch: list[Prepared]) -> Iterator[tuple[list[int], Prepared]]:
    """The inputs of each size as one batch, with their positions."""
    found: dict[Any, list[int]] = {}
    for position, prepared in enumerate(batch):
        shapes = [array.shape for array in keras.tree.flatten(prepared)]
        found.setdefault(tuple(shapes), []).append(position)
    for positions in found.values():
        yield (
            positions,
            keras.tree.map_structure(_stacked, *(batch[place] for place in positions)),
        )


def _stacked(*arrays: np.ndarray) -> np.ndarray:
    return np.stack(arrays) if len(arrays) > 1 else arrays[0][None]  # a large one is not copied
