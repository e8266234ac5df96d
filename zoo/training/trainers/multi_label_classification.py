"""Labels of images, any number of which apply: from a table, a split of `datasets`, or arrays of 0 and 1."""

from dataclasses import replace
from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.datasets.class_names import find_classes
from zoo.errors import InputError
from zoo.measures.multi_label import MultiLabelMeasure
from zoo.printing import as_text, warn
from zoo.training.examples import Examples, hold_out
from zoo.training.label_data import BETWEEN, LabelData
from zoo.training.labelled_images import LabelledImages, own_names, readable_examples
from zoo.training.trainer import known_labels

THRESHOLDS = 1000  # of the curve that the metric of an epoch is computed from


class MultiLabelClassificationTrainer(LabelledImages):
    """The loss is binary cross entropy, a mean over the labels; the epoch with the highest mAP is kept."""

    bfloat16 = True
    linear_head = "sigmoid"
    monitor = "map"
    task = "multi-label-classification"

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        said = self.labelled(data, split)
        names, rows = _indicators(said, entry, labels)
        items, shape = readable_examples(said.inputs, [*rows], entry, skip_unreadable=skip_unreadable)
        if labels is None:
            _check_labels(names, np.stack([row for _, row in items]))
        return Examples(items, shape, names)

    def hold_out(self, examples: Examples, entry: Entry, seed: int) -> tuple[Examples, Examples]:
        """So that rare labels are on both sides: the examples are grouped by the rarest label of each."""
        rows = np.stack([row for _, row in examples.items])
        rarity = np.argsort(np.argsort(rows.sum(axis=0), kind="stable"))  # 0 for the rarest
        rarest = np.where(rows > 0, rarity, len(rarity)).min(axis=1)
        training, held = hold_out(replace(examples, classes=tuple(rarest.tolist())), seed)
        return replace(training, classes=None), replace(held, classes=None)

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        import keras

        return keras.losses.BinaryCrossentropy(from_logits=True)

    def metrics(self, entry: Entry) -> list[Any]:
        import keras

        facts: dict[str, Any] = {"multi_label": True, "num_labels": entry.num_classes, "from_logits": True}
        return [keras.metrics.AUC(curve="PR", num_thresholds=THRESHOLDS, name="map", **facts)]

    def measure(self, entry: Entry, examples: Examples | None) -> MultiLabelMeasure:
        return MultiLabelMeasure(known_labels(entry))


def _indicators(said: LabelData, entry: Entry, labels: tuple[str, ...] | None) -> tuple[tuple[str, ...], np.ndarray]:
    """The names of the labels, and float32 `(n, labels)`: 1 for those of an image, else 0.

    Args:
        said: Of the images.
        entry: The model.
        labels: Those that the model knows, whose order counts, for validation data.
    """
    names, rows = _by_name(said) if said.is_text or said.classes is not None else _by_column(said)
    if labels is None:
        return names or own_names(entry, rows.shape[1]), rows
    if names is None:
        if rows.shape[1] != len(labels):
            raise InputError(f"The data have {rows.shape[1]} labels. Expected the {len(labels)} of the model.")
        return labels, rows
    places = range(len(labels)) if names == labels else [meaning[0] for meaning in find_classes(names, labels, None)]
    ordered = np.zeros((len(rows), len(labels)), np.float32)
    ordered[:, list(places)] = rows
    return labels, ordered


def _by_name(said: LabelData) -> tuple[tuple[str, ...], np.ndarray]:
    values = said.values
    if said.classes is not None and not said.is_text:  # the number of one class each
        values = [said.classes[number] for number in values]
    found = [_labels(value) for value in values]
    names = said.classes or tuple(sorted({name for each in found for name in each}))
    places = {name: number for number, name in enumerate(names)}
    rows = np.zeros((len(found), len(names)), np.float32)
    for row, each in zip(rows, found, strict=True):
        row[[places[name] for name in each]] = 1
    return names, rows


def _labels(value: Any) -> list[str]:
    parts = value if isinstance(value, list | tuple) else (value or "").split(BETWEEN)
    return [name for name in (str(part).strip() for part in parts) if name]


def _by_column(said: LabelData) -> tuple[tuple[str, ...] | None, np.ndarray]:
    values = said.values.reshape(len(said.values), -1)
    if values.dtype.kind not in "iubf" or said.values.ndim > 2 or not np.isin(values, (0, 1)).all():
        raise InputError(
            f"The labels are {values.dtype} {said.values.shape}"
            f"{f', from {values.min():g} to {values.max():g}' if values.size and values.dtype.kind in 'iubf' else ''}. "
            "Expected 1 for the labels of an image and 0 for the others, a column per label; or names, such as cat;dog."
        )
    return said.names, values.astype(np.float32)


def _check_labels(names: tuple[str, ...], rows: np.ndarray) -> None:
    if not rows.any():
        raise InputError("No image has a label. Expected at least one that has.")
    if empty := [name for name, column in zip(names, rows.T, strict=True) if not column.any()]:
        warn(f"No image has the label {', '.join(map(as_text, empty))}: the model will not find it.")


TRAINER = MultiLabelClassificationTrainer()
