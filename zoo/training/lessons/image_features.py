"""Networks without classes learn classes: they get a head."""

from typing import Any

from zoo.errors import InputError
from zoo.registry import Entry
from zoo.training.examples import Examples
from zoo.training.lessons.image_classification import ImageClassificationLesson


class ImageFeaturesLesson(ImageClassificationLesson):
    """What comes out is a model of the task `image-classification`."""

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        if entry.classifier is None:
            raise InputError(f"{entry.name} cannot be given a head. Expected a model of a family of classifiers.")
        return super().find(data, split, entry, labels, skip_unreadable=skip_unreadable)


LESSON = ImageFeaturesLesson()
