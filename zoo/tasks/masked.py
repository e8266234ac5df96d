"""Models that take an image with holes: `{"image": ..., "mask": ...}`, mask 1 where a pixel is known, else 0."""

from typing import Any

from zoo.catalogue.entry import Entry
from zoo.tasks.images import normalization
from zoo.tasks.task import Task


class Masked(Task):
    """Tasks whose input is an image of so many `channels` and a mask of one, `(batch, height, width, 1)`."""

    channels = 3

    def inputs(self, entry: Entry, input_shape: tuple[int | None, ...] | None) -> tuple[Any, tuple[Any, ...]]:
        import keras

        shape = input_shape or (None, None, self.channels)
        image = keras.Input(shape, name="image", dtype="float32")
        mask = keras.Input((*shape[:2], 1), name="mask", dtype="float32")
        return {"image": image, "mask": mask}, (self.normalized(entry, image), mask)

    def normalized(self, entry: Entry, image: Any) -> Any:
        """What the builder begins with."""
        return normalization(entry)(image)
