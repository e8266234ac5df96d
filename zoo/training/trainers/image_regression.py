"""Quantities of images, one or several: from a table, a split of `datasets`, or arrays of numbers."""

from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry, Quantity
from zoo.errors import InputError
from zoo.labels import read_labels
from zoo.measures.regression import RegressionMeasure
from zoo.training import report
from zoo.training.examples import Examples
from zoo.training.label_data import LabelData, units_of
from zoo.training.labelled_images import LabelledImages, readable_examples
from zoo.training.trainer import known_labels

SCALES = (1e-6, 1e12)  # of the deviations that an entry takes


class ImageRegressionTrainer(LabelledImages):
    """The loss is the squared error in units of the targets' deviation; the epoch with the highest R² is kept."""

    linear_head = "linear"
    monitor = "r2"
    task = "image-regression"

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        said = self.labelled(data, split)
        names, units, rows = _quantities(said, entry)
        if labels is not None:
            rows, names = _ordered(rows, names, labels), labels
        items, shape = readable_examples(said.inputs, [*rows], entry, skip_unreadable=skip_unreadable)
        if labels is None:
            _check_differ(names or (), np.stack([row for _, row in items]))
        return Examples(items, shape, names, units=units)

    def adapted(self, entry: Entry, examples: Examples) -> Entry:
        before = entry
        entry = super().adapted(entry, examples)
        if before.task == self.task and before.random == "none" and before.labels == entry.labels:
            return entry  # its head is one for its own scale
        rows = np.stack([row for _, row in examples.items]).astype(np.float64)
        quantities = tuple(
            Quantity(unit=unit, mean=mean, std=float(np.clip(std, *SCALES)))
            for unit, mean, std in zip(examples.units, rows.mean(0).tolist(), rows.std(0).tolist(), strict=True)
        )
        return entry.model_copy(update={"quantities": quantities})

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        from keras import ops

        variances = np.square([quantity.std for quantity in entry.quantities] or [1.0]).astype(np.float32)

        def mean_squared_error(target: Any, output: Any) -> Any:
            return ops.mean(ops.square(ops.cast(output, "float32") - ops.cast(target, "float32")) / variances, axis=-1)

        return mean_squared_error

    def metrics(self, entry: Entry) -> list[Any]:
        import keras

        mae = [keras.metrics.MeanAbsoluteError(name="mae")] if entry.num_classes == 1 else []
        return [keras.metrics.R2Score(name="r2"), *mae]

    def measure(self, entry: Entry, examples: Examples | None) -> RegressionMeasure:
        return RegressionMeasure(known_labels(entry))

    def draw(self, entry, measure, example, folder) -> None:
        outputs, targets = measure.points()
        report.draw_regression(outputs, targets, measure.names, folder / "regression.png")


def _quantities(said: LabelData, entry: Entry) -> tuple[tuple[str, ...] | None, tuple[str, ...], np.ndarray]:
    """Names where there are some, units, and float32 `(n, quantities)`."""
    values = np.asarray(said.values) if not said.is_text else None
    if values is None or values.dtype.kind not in "iubf" or values.ndim not in (1, 2) or said.classes is not None:
        found = "text or classes" if values is None or said.classes else f"{values.dtype} {values.shape}"
        raise InputError(f"The targets are {found}. Expected a number per image, or several: columns of numbers.")
    rows = values.reshape(len(values), -1).astype(np.float64)
    if not np.isfinite(rows).all():
        place = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise InputError(f"{said.inputs[place]} has the targets {rows[place].tolist()}. Expected finite numbers.")
    names, units = units_of(said.names) if said.names else (None, ("",) * rows.shape[1])
    if names is None and not (entry.task == "image-regression" and entry.num_classes == rows.shape[1]):
        names = ("value",) if rows.shape[1] == 1 else tuple(f"value {number}" for number in range(rows.shape[1]))
    return names or read_labels(entry.labels), units, rows.astype(np.float32)


def _ordered(rows: np.ndarray, names: tuple[str, ...] | None, labels: tuple[str, ...]) -> np.ndarray:
    """The columns in the order of the model's quantities."""
    if names is None or len(names) == len(labels) == 1:
        names = labels
    if missing := [label for label in labels if label not in names]:
        raise InputError(
            f"The data have the quantities {', '.join(names)}, and not {', '.join(missing)}. Expected those of the "
            "model."
        )
    return rows[:, [names.index(label) for label in labels]]


def _check_differ(names: tuple[str, ...], rows: np.ndarray) -> None:
    for name, column in zip(names, rows.T, strict=True):
        if column.min() == column.max():
            raise InputError(f"The quantity {name!r} is {column[0]:g} in all images. Expected values that differ.")


TRAINER = ImageRegressionTrainer()
