"""Networks without classes: their features are evaluated; trained on labels they get a head, see `trained_task`."""

from zoo.catalogue.entry import Entry
from zoo.measures.features import NeighborMeasure
from zoo.measures.measure import Measure
from zoo.training.examples import Examples
from zoo.training.trainers.image_classification import ImageClassificationTrainer


class ImageFeaturesTrainer(ImageClassificationTrainer):
    """Measured without a head: how often the nearest neighbour has the same class."""

    def measure(self, entry: Entry, examples: Examples | None) -> Measure:
        return NeighborMeasure()


TRAINER = ImageFeaturesTrainer()
