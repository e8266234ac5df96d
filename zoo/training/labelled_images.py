"""What is common to the trainers of heads on images: one class, several labels, or quantities."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.catalogue.task_names import TaskName
from zoo.datasets import class_folders, label_tables
from zoo.errors import InputError
from zoo.imaging.preprocessing import preprocess
from zoo.labels import read_labels
from zoo.training import images
from zoo.training.checking import checked
from zoo.training.examples import Examples
from zoo.training.label_data import DATA, LabelData, class_folder_data, label_data
from zoo.training.trainer import TaskTrainer, is_folder
from zoo.training.views import random_view

SIZE = 224  # pixels per side, for a model without a size of its own and images that differ in theirs


class LabelledImages(TaskTrainer):
    """A new head where the labels are others, or mean something else; their names are those of the data.

    `task` is that of the trained model.
    """

    mirrors = True
    strong = True
    images_alone = True
    data = DATA
    task: TaskName

    def has_split(self, data: Any, split: str) -> bool:
        if not is_folder(data):
            return False
        if label_tables.find_table(data, split) is not None:
            return label_tables.has_split(data, split)
        return Path(data).is_dir() and class_folders.has_split(data, split)

    def adapted(self, entry: Entry, examples: Examples) -> Entry:
        labels = examples.labels or ()
        if entry.classifier is None:
            raise InputError(f"{entry.name} cannot be given a head. Expected a model of a family of classifiers.")
        if entry.input.size is None and not examples.shape:
            entry = entry.model_copy(update={"input": entry.input.model_copy(update={"size": SIZE})})
        if entry.task == self.task and labels == read_labels(entry.labels):
            return entry
        # As many other classes need a new head, too; one that is new already does.
        fits = entry.random != "none" and entry.task == self.task and entry.num_classes == len(labels)
        random = entry.random if fits or entry.random == "all" else "head"
        update = {"labels": labels, "num_classes": len(labels), "task": self.task, "random": random, "quantities": ()}
        return entry.model_copy(update=update)

    def shape(self, entry: Entry, examples: Examples) -> tuple[int, ...]:
        side = entry.input.size
        return (*((side, side) if side else examples.shape), len(entry.input.mean))

    def resized(self, entry, shape, size):
        if size[0] != size[1]:
            raise InputError(f"image_size={size} has two sides. Expected one number: classifiers take squares.")
        return entry.model_copy(update={"input": entry.input.model_copy(update={"size": size[0]})}), (*size, *shape[2:])

    def read(self, item, entry, shape, generator):
        source, target = item
        if generator is not None and shape is not None:
            return random_view(source, entry.input, shape[0], shape[1], generator), self.number(target)
        return preprocess(source, entry.input), self.number(target)

    def number(self, target: Any) -> Any:
        """The target of an example as the loss takes it: `(outputs,)`."""
        return np.asarray(target, np.float32)

    def labelled(self, data: Any, split: str) -> LabelData:
        """Images and what is said of them; class folders are images of one label each."""
        return label_data(data, split) or class_folder_data(data, split)


def readable_examples(
    sources: Sequence[Any], targets: Sequence[Any], entry: Entry, *, skip_unreadable: bool
) -> tuple[tuple[tuple[Any, Any], ...], tuple[int, ...]]:
    """Images with their targets, of those that can be read, and the shape of all if it is one."""
    items, sizes = checked(
        list(zip(sources, targets, strict=True)),
        lambda item: images.size(item[0], len(entry.input.mean)),
        skip_unreadable=skip_unreadable,
    )
    return tuple(items), sizes[0] if len(set(sizes)) == 1 else ()


def own_names(entry: Entry, count: int) -> tuple[str, ...]:
    """The model's own names where it has as many classes, else numbers."""
    own = read_labels(entry.labels)
    return own if own is not None and len(own) == count else tuple(map(str, range(count)))
