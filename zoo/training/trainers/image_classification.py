"""Classes of images, from a folder of class folders, a table, or arrays."""

from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.datasets import class_folders
from zoo.datasets.class_names import find_classes
from zoo.errors import InputError
from zoo.labels import read_labels, read_synsets
from zoo.measures.classification import ClassificationMeasure
from zoo.measures.measure import Measure
from zoo.training import report
from zoo.training.examples import Examples
from zoo.training.label_data import LabelData, label_data
from zoo.training.labelled_images import LabelledImages, own_names, readable_examples
from zoo.training.trainer import known_labels


class ImageClassificationTrainer(LabelledImages):
    """A new head where the classes are others; their names are those of the folders, or of the table.

    Data that are measured on may call the classes otherwise than the model does: see `zoo.datasets.class_names`.
    """

    bfloat16 = True
    classes = True
    linear_head = "softmax"
    monitor = "accuracy"
    task = "image-classification"
    data = "FOLDER/CLASS/NAME.jpg, FOLDER/{train,val}/CLASS/NAME.jpg, or (images, numbers of their classes)"

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        said = label_data(data, split, self.data)
        if said is None:
            names, found = class_folders.find_images(data, split)
            sources, classes = [item.image for item in found], [item.label for item in found]
        else:
            sources, (names, classes) = said.inputs, _classes(said, entry, labels)
        items, shape = readable_examples(sources, classes, entry, skip_unreadable=skip_unreadable)
        classes = [number for _, number in items]
        if labels is None:
            _check_classes(names, classes)
            return Examples(items, shape, names, tuple(classes))
        meanings = _meanings(names, labels, entry)
        items = tuple((source, meanings[number][0]) for source, number in items)
        called = dict(enumerate(labels)) | {meaning[0]: names[number] for number, meaning in meanings.items()}
        either = {meaning[0]: meaning for meaning in meanings.values() if len(meaning) > 1}
        known = tuple(called[number] for number in range(len(labels)))
        return Examples(items, shape, known, tuple(number for _, number in items), either=either)

    def number(self, target: Any) -> Any:
        return np.int32(target)

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


def _classes(said: LabelData, entry: Entry, labels: tuple[str, ...] | None) -> tuple[tuple[str, ...], list[int]]:
    """The names of the classes, and the class of each image."""
    values = said.values
    if not said.is_text and values.ndim == 2 and said.classes is None:
        if not (np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all()):
            raise InputError(
                f"The classes have the shape {values.shape} and the dtype {values.dtype}. Expected one int from 0 per "
                "image; or for several labels of one image problem_type='multi_label_classification', for quantities "
                "'regression'."
            )
        return said.names or own_names(entry, values.shape[1]), values.argmax(axis=1).tolist()
    if said.is_text or (said.names is not None and said.classes is None and values.dtype.kind in "iu"):
        return _by_name(said)
    numbers = _numbers(list(values), labels)
    return said.classes or labels or own_names(entry, max(numbers) + 1), numbers


def _by_name(said: LabelData) -> tuple[tuple[str, ...], list[int]]:
    """Classes in alphabetical order; whole numbers, which are names too, by size."""
    for source, value in zip(said.inputs, said.values, strict=True):
        if isinstance(value, list | tuple) or value in ("", None):
            raise InputError(
                f"{source} has the label {value!r}. Expected one class per image; for any number of labels "
                "problem_type='multi_label_classification'."
            )
    values = list(said.values) if said.is_text else said.values.tolist()
    names = sorted(set(values))
    places = {name: number for number, name in enumerate(names)}
    return tuple(map(str, names)), [places[value] for value in values]


def _check_classes(names: tuple[str, ...], classes: list[int]) -> None:
    if len(names) < 2:
        raise InputError(f"There is one class only, {names[0]!r}. Expected at least two to tell apart.")
    if empty := [name for number, name in enumerate(names) if number not in set(classes)]:
        raise InputError(
            f"The class {empty[0]!r} has no image that can be read. Expected at least one, or no such class."
        )


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
