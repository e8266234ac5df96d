"""Networks without classes are trained on classes: they get a head."""

from zoo.catalogue.entry import Entry
from zoo.errors import InputError
from zoo.measures.features import NeighborMeasure
from zoo.measures.measure import Measure
from zoo.training.examples import Examples
from zoo.training.trainers.image_classification import ImageClassificationTrainer


class ImageFeaturesTrainer(ImageClassificationTrainer):
    """The result is a model of the task `image-classification`; without a head, features are evaluated."""

    def adapted(self, entry: Entry, examples: Examples) -> Entry:
        if entry.classifier is None:
            raise InputError(f"{entry.name} cannot be given a head. Expected a model of a family of classifiers.")
        return super().adapted(entry, examples)

    def measure(self, entry: Entry, examples: Examples | None) -> Measure:
        return super().measure(entry, examples) if entry.task == "image-classification" else NeighborMeasure()


TRAINER = ImageFeaturesTrainer()
