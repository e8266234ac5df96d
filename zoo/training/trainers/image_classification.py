"""Classes of images, from a folder of class folders or from arrays."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.datasets import class_folders, hugging_face
from zoo.datasets.class_names import find_classes
from zoo.errors import InputError
from zoo.imaging.preprocessing import preprocess
from zoo.labels import read_labels, read_synsets
from zoo.measures.classification import ClassificationMeasure
from zoo.measures.measure import Measure
from zoo.training import images, report
from zoo.training.checking import checked
from zoo.training.examples import Examples
from zoo.training.trainer import TaskTrainer, is_folder, known_labels, pairs
from zoo.training.views import random_view

SIZE = 224  # pixels per side, for a model without a size of its own and images that differ in theirs


class ImageClassificationTrainer(TaskTrainer):
    """A new head where the classes are others; their names are those of the folders.

    Data that are measured on may call the classes otherwise than the model does: see `zoo.datasets.class_names`.
    """

    bfloat16 = True
    mirrors = True
    linear_head = "softmax"
    monitor = "accuracy"
    data = "FOLDER/CLASS/NAME.jpg, FOLDER/{train,val}/CLASS/NAME.jpg, or (images, numbers of their classes)"

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        if is_folder(data):
            names, found = class_folders.find_images(data, split)
            items = [(item.image, item.label) for item in found]
        else:
            given = pairs(data, self.data)
            classes = _numbers([number for _, number in given], labels)
            items = [(source, number) for (source, _), number in zip(given, classes, strict=True)]
            names = hugging_face.class_names(data) or labels or _names(entry, max(classes) + 1)
        items, sizes = checked(
            items, lambda item: images.size(item[0], len(entry.input.mean)), skip_unreadable=skip_unreadable
        )
        classes = [number for _, number in items]
        shape = sizes[0] if len(set(sizes)) == 1 else ()
        if labels is None:
            _check_classes(names, classes)
            return Examples(tuple(items), shape, names, tuple(classes))
        meanings = _meanings(names, labels, entry)
        items = [(source, meanings[number][0]) for source, number in items]
        called = dict(enumerate(labels)) | {meaning[0]: names[number] for number, meaning in meanings.items()}
        either = {meaning[0]: meaning for meaning in meanings.values() if len(meaning) > 1}
        known = tuple(called[number] for number in range(len(labels)))
        return Examples(tuple(items), shape, known, tuple(number for _, number in items), either=either)

    def has_split(self, data: Any, split: str) -> bool:
        return is_folder(data) and Path(data).is_dir() and class_folders.has_split(data, split)

    def adapted(self, entry: Entry, examples: Examples) -> Entry:
        labels = examples.labels or ()
        if entry.input.size is None and not examples.shape:
            entry = entry.model_copy(update={"input": entry.input.model_copy(update={"size": SIZE})})
        if entry.task == "image-classification" and labels == read_labels(entry.labels):
            return entry
        # As many other classes need a new head, too; one that is new already does.
        fits = entry.random != "none" and entry.task == "image-classification" and entry.num_classes == len(labels)
        random = entry.random if fits or entry.random == "all" else "head"
        update = {"labels": labels, "num_classes": len(labels), "task": "image-classification", "random": random}
        return entry.model_copy(update=update)

    def shape(self, entry: Entry, examples: Examples) -> tuple[int, ...]:
        side = entry.input.size
        return (*((side, side) if side else examples.shape), len(entry.input.mean))

    def read(self, item, entry, shape, generator):
        source, label = item
        if generator is not None and shape is not None:
            return random_view(source, entry.input, shape[0], shape[1], generator), np.int32(label)
        return preprocess(source, entry.input), np.int32(label)

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        import keras

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def metrics(self, entry: Entry) -> list[Any]:
        import keras

        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def measure(self, entry: Entry, examples: Examples | None) -> Measure:
        if examples is None:
            return ClassificationMeasure(known_labels(entry))
        return ClassificationMeasure(examples.labels or known_labels(entry), examples.either)

    def draw(self, entry, measure, example, folder) -> None:
        report.draw_confusion(measure.confusion(), measure.labels, folder / "confusion.png")


def _check_classes(names: tuple[str, ...], classes: list[int]) -> None:
    if len(names) < 2:
        raise InputError(f"There is one class only, {names[0]!r}. Expected at least two to tell apart.")
    if empty := [name for number, name in enumerate(names) if number not in set(classes)]:
        raise InputError(
            f"The class {empty[0]!r} has no image that can be read. Expected at least one, or no such class."
        )


def _names(entry: Entry, count: int) -> tuple[str, ...]:
    """The model's own names where it has as many classes, else numbers."""
    own = read_labels(entry.labels)
    return own if own is not None and len(own) == count else tuple(map(str, range(count)))


def _numbers(classes: list[Any], labels: tuple[str, ...] | None) -> list[int]:
    try:
        array = np.asarray(classes)
    except ValueError as error:  # of several lengths
        raise InputError("The classes are lists of several lengths. Expected one int from 0 per image.") from error
    if array.ndim != 1 or array.dtype.kind not in "iub" or array.min() < 0:
        raise InputError(
            f"The classes have the shape {array.shape} and the dtype {array.dtype}. Expected one int from 0 per image."
        )
    count = int(array.max()) + 1
    if labels is None and (missing := sorted(set(range(count)) - set(array.tolist()))):
        raise InputError(f"The class {missing[0]} has no image. Expected each from 0 to {count - 1} to occur.")
    if labels is not None and count > len(labels):
        raise InputError(f"The validation data have the class {count - 1}. Expected 0 to {len(labels) - 1}.")
    return [int(number) for number in array]


def _meanings(names: tuple[str, ...], labels: tuple[str, ...], entry: Entry) -> dict[int, tuple[int, ...]]:
    """The model's class for each class of the validation data."""
    if names == labels:
        return {number: (number,) for number in range(len(labels))}
    synsets = read_synsets(entry.labels) if labels == read_labels(entry.labels) else None
    return dict(enumerate(find_classes(names, labels, synsets)))


TRAINER = ImageClassificationTrainer()
