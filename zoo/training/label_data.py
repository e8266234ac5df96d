"""What is said of images, in any form that data may have, and which problem it makes: classes, labels or quantities."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.catalogue.task_names import ONE_HEAD, PROBLEM_TYPES, ProblemType, TaskName
from zoo.datasets import class_folders, hugging_face, label_tables
from zoo.errors import InputError
from zoo.printing import as_text, warn
from zoo.training.trainer import is_dataset, is_folder, pairs

OF_CLASSES = ("label", "labels", "class", "classes")  # columns whose whole numbers are classes, and no quantities
BETWEEN = ";"  # several labels of one image
_UNIT = re.compile(r"(.+?)\s*[\[(]([^\[\]()]*)[\])]")  # age (years), weight [kg]
DATA = "FOLDER/labels.csv with the columns `file` and those of labels or numbers, or (images, targets)"


@dataclass(frozen=True)
class LabelData:
    """Images and what is said of them.

    `values` are text or lists of text, one per image, or numbers `(n,)` or `(n, columns)`. `names` are those of the
    columns of numbers, where they have some, or `classes` those of all classes, where the data know them.
    """

    inputs: list[Any]
    values: Any
    names: tuple[str, ...] | None = None
    classes: tuple[str, ...] | None = None

    @property
    def is_text(self) -> bool:
        """Whether the values are text, or lists of text."""
        return isinstance(self.values, list)


def trained_task(entry: Entry, data: Any, problem_type: ProblemType | Literal["auto"], what: str) -> TaskName:
    """The task that a model is trained for: its own, or, where its head alone decides, the one of the data.

    Args:
        entry: The model.
        data: As `zoo.finetune` takes it.
        problem_type: What is wanted; `"auto"` to go by the data.
        what: The data that the model's own trainer takes, for a message.

    Raises:
        InputError: The model has no head on images, or the data say nothing that fits.
    """
    wanted = None if problem_type == "auto" else PROBLEM_TYPES[problem_type]
    if entry.task not in ONE_HEAD:
        if wanted is not None:
            raise InputError(
                f"problem_type={problem_type!r} does not fit {entry.name} ({entry.task}). Expected a model that "
                "classifies images, or problem_type='auto'."
            )
        return entry.task
    if is_dataset(data):
        if wanted not in (None, entry.task):
            raise InputError(
                f"problem_type={problem_type!r}, and batches are trained with the model's own head, which is for "
                f"{entry.task}. Expected zoo.load(..., num_classes=..., problem_type={problem_type!r})."
            )
        return entry.task
    if wanted is not None:
        return wanted
    found = label_data(data, "train", what)
    return PROBLEM_TYPES["single_label_classification" if found is None else inferred(found, entry.task)]


def inferred(data: LabelData, own: TaskName) -> ProblemType:
    """The problem that the data make; that of the model's own head, where it is another than one class and they fit.

    One column of text is one class, or several labels where a cell has a `;` or is a list. One column of whole numbers
    is classes where it has no name or is called `label` or `class`; several of 0 and 1 are labels. All other numbers
    are quantities.
    """
    if data.classes is not None or data.is_text:
        several = any(isinstance(value, list | tuple) or BETWEEN in str(value) for value in data.values)
        return "multi_label_classification" if several or own == "multi-label-classification" else _ONE
    values = data.values
    whole = values.dtype.kind in "iub"
    if own == "image-regression":
        return "regression"
    if values.ndim == 1:
        if whole and (data.names is None or data.names[0].lower() in OF_CLASSES):
            return _ONE
        return "multi_label_classification" if whole and _is_binary(values) else "regression"
    return "multi_label_classification" if _is_binary(values) else "regression"


_ONE: ProblemType = "single_label_classification"


def _is_binary(values: np.ndarray) -> bool:
    return bool(np.isin(values, (0, 1)).all())


def label_data(data: Any, split: str, what: str = DATA) -> LabelData | None:
    """Read what is said of the images of a split; None for a folder of class folders. `what` names the data in errors.

    Raises:
        InputError: The data have no such form, or columns of several kinds.
        As `zoo.datasets.label_tables.read_table`.
    """
    if is_folder(data):
        table = label_tables.find_table(data, split)
        if table is None:
            return None
        read = label_tables.read_table(table, split)
        return _of_columns(list(read.images), read.columns, str(table))
    if hugging_face.is_split(data):
        inputs, columns, classes = hugging_face.labels(data)
        plain = {name: _plain(values) for name, values in columns.items()}
        found = _of_columns(list(inputs), plain, "The split")
        return LabelData(found.inputs, found.values, found.names, classes)
    if isinstance(data, tuple) and len(data) == 2:
        inputs, targets = data
        if named := _named(targets):
            for column in named.values():
                pairs((inputs, column), what)
            return _of_columns(list(inputs), named, "The targets")
    given = pairs(data, what)
    return LabelData([source for source, _ in given], _plain([target for _, target in given]))


def class_folder_data(data: Any, split: str) -> LabelData:
    """Class folders as images of one label each."""
    names, found = class_folders.find_images(data, split)
    return LabelData([item.image for item in found], [names[item.label] for item in found], classes=names)


def units_of(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of columns without their units, and the units: `age (years)`, `weight [kg]`."""
    found = [(match.group(1), match.group(2)) if (match := _UNIT.fullmatch(name)) else (name, "") for name in names]
    return tuple(name for name, _ in found), tuple(unit for _, unit in found)


def _named(targets: Any) -> dict[str, Any] | None:
    """Columns by name, of a dict of them or of a table such as pandas' DataFrame; None where they have no names."""
    names = targets.keys() if isinstance(targets, Mapping) else getattr(targets, "columns", None)
    return None if names is None else {str(name): _plain(targets[name]) for name in names}


def _plain(values: Any) -> Any:
    """Numbers as an array; text, or lists of several lengths, as a list."""
    try:
        array = np.asarray(values)
    except ValueError:
        return list(values)
    if array.dtype.kind in "biuf":
        return array
    listed = list(values)
    return listed if all(isinstance(each, str | list | tuple) for each in listed) else array


def _of_columns(inputs: list[Any], columns: Mapping[str, Any], where: str) -> LabelData:
    """One column, that of the labels where one is called so; or all columns of numbers side by side."""
    chosen = next((name for name in columns if name.lower() in OF_CLASSES), None)
    if chosen is not None and len(columns) > 1:
        others = [name for name in columns if name != chosen]
        warn(f"{as_text(where)}: the labels are {chosen!r}; left out: {', '.join(map(as_text, others))}.")
    if chosen is None and len(columns) == 1:
        chosen = next(iter(columns))
    if chosen is not None:
        values = columns[chosen]
        return LabelData(inputs, values, None if isinstance(values, list) else (chosen,))
    if text := [name for name, values in columns.items() if isinstance(values, list)]:
        raise InputError(
            f"{where} has the columns {', '.join(map(as_text, columns))}, of which {as_text(text[0])!r} is text. "
            "Expected one column of text, called label, or columns of numbers only: leave out or rename the others."
        )
    return LabelData(inputs, np.stack([np.asarray(values) for values in columns.values()], axis=1), tuple(columns))
