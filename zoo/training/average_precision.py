"""COCO's average precision of a detector on the validation data, after each epoch and at the end of a run."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np

from zoo.backend import jit_compile
from zoo.measures.measure import Measure
from zoo.training.batches import Batches
from zoo.training.callbacks import averaged
from zoo.training.trainer import first_of


class AveragePrecision(keras.callbacks.Callback):
    """Adds the metrics that `names` lists to what Keras logs of an epoch, as `val_ap_percent`.

    Args:
        complete: The model with its boxes; it shares its layers with the one that is trained.
        batches: The validation data.
        names: Of the metrics.
        averages: The optimizer averages the weights, and the averages are what is measured.
    """

    def __init__(self, complete: keras.Model, batches: Batches, names: tuple[str, ...], *, averages: bool = False):
        super().__init__()
        self.complete, self.batches, self.names, self.averages = complete, batches, names, averages

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        scope: contextlib.AbstractContextManager = contextlib.nullcontext()
        if self.averages:
            scope = averaged(self.model.optimizer, self.model.trainable_variables)
        with scope:
            measure, _ = measured(self.complete, self.batches)
        found = measure.results()
        if logs is not None:
            logs.update({f"val_{name}": found[name] for name in self.names if name in found})


def measured(model: keras.Model, batches: Batches) -> tuple[Measure, tuple[Any, Any, Any] | None]:
    """The metrics of a detector on the examples of `batches`, as `zoo.evaluate` has them; and its first example, its
    target and the outputs."""
    if not model.compiled:
        model.compile(jit_compile=jit_compile())
    measure, example = batches.trainer.measure(model.spec, None), None
    for images, targets in _whole(batches):
        filled = np.concatenate([images, np.repeat(images[-1:], batches.batch_size - len(images), axis=0)])
        outputs = {name: values[: len(images)] for name, values in model.predict_on_batch(filled).items()}
        measure.add(outputs, {name: [target[name] for target in targets] for name in targets[0]})
        example = example or (images[0], targets[0], first_of(outputs))
    return measure, example


def _whole(batches: Batches) -> Iterator[tuple[np.ndarray, list[dict[str, Any]]]]:
    """Images with their objects, which differ in number, so that their targets stay a list."""
    items = batches.examples.items
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(items), batches.batch_size):
            part = items[start : start + batches.batch_size]
            rows = list(pool.map(lambda item: batches.trainer.read(item, batches.entry, None, None), part))
            yield np.stack([np.asarray(image) for image, _ in rows]), [target for _, target in rows]
