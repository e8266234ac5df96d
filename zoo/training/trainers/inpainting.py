"""Images whose holes are filled: whole images are the target, and the holes are made here."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from zoo.catalogue.entry import Entry
from zoo.imaging.planes import read_image
from zoo.measures.inpainting import InpaintingMeasure
from zoo.training import images, report
from zoo.training.checking import checked
from zoo.training.examples import Examples
from zoo.training.trainer import LARGEST_CROP, TaskTrainer
from zoo.training.views import same_view

STROKES = (1, 5)  # how many, from and to


class InpaintingTrainer(TaskTrainer):
    """Holes are strokes across the image, different for each image and, in training, each epoch."""

    crops = True
    data = "FOLDER/{train,val}/NAME.png, FOLDER/NAME.png, or a list of images"

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        items, sizes = checked(images.sources(data, split), images.size, skip_unreadable=skip_unreadable)
        return Examples(tuple(items), images.smallest(sizes))

    def shape(self, entry: Entry, examples: Examples) -> tuple[int, ...]:
        return *map(min, examples.shape, LARGEST_CROP), 3

    def read(self, item, entry, shape, generator):
        [whole] = same_view([np.asarray(read_image(item))], shape, generator)
        # To measure, an image has the same holes each time.
        mask = _strokes(whole.shape[:2], generator or np.random.default_rng(int(whole.sum())))
        return {"image": whole * mask.astype(np.uint8), "mask": mask}, whole.astype(np.float32)

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        return "mean_absolute_error"  # outside the holes it is zero: the model leaves those pixels as they are

    def measure(self, entry: Entry, examples: Examples | None) -> InpaintingMeasure:
        return InpaintingMeasure()

    def draw(self, entry, measure, example, folder) -> None:
        inputs, whole, output = example
        report.write_row([inputs["image"], output, whole], folder / "damaged-output-target.png")


def _strokes(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """float32 `(height, width, 1)`, 0 in the holes: lines of random ends, as thick as a tenth of the image."""
    height, width = size
    mask = Image.new("L", (width, height), 255)
    for _ in range(int(generator.integers(*STROKES, endpoint=True))):
        ends = [(int(generator.integers(width)), int(generator.integers(height))) for _ in range(3)]
        ImageDraw.Draw(mask).line(ends, fill=0, width=max(2, min(size) // 10), joint="curve")
    return (np.asarray(mask) > 0).astype(np.float32)[..., None]


TRAINER = InpaintingTrainer()
