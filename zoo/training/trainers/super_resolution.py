"""Larger images from small ones: the small ones are made here, by bicubic reduction."""

from typing import Any

import numpy as np
from PIL import Image

from zoo.catalogue.entry import Entry
from zoo.errors import InputError
from zoo.imaging.planes import read_image
from zoo.measures.super_resolution import SuperResolutionMeasure, bicubic
from zoo.training import images, report
from zoo.training.checking import checked
from zoo.training.examples import Examples
from zoo.training.trainer import TaskTrainer
from zoo.training.views import same_view

LARGEST_PATCH = 48  # pixels per side of the small image


class SuperResolutionTrainer(TaskTrainer):
    """Crops of the images are the target; they are not enlarged or reduced themselves."""

    crops = True
    data = "FOLDER/{train,val}/NAME.png, FOLDER/NAME.png, or a list of images"

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        items, sizes = checked(images.sources(data, split), images.size, skip_unreadable=skip_unreadable)
        smallest = images.smallest(sizes)
        if min(smallest) < 8 * entry.config["scale"]:
            raise InputError(
                f"An image is {smallest[1]} pixels wide or {smallest[0]} high. Expected at least "
                f"{8 * entry.config['scale']}, eight for each of the {entry.config['scale']} times."
            )
        return Examples(tuple(items), smallest)

    def shape(self, entry: Entry, examples: Examples) -> tuple[int, ...]:
        height, width = (min(LARGEST_PATCH, side // entry.config["scale"]) for side in examples.shape)
        return height, width, 3

    def read(self, item, entry, shape, generator):
        image, scale = read_image(item), entry.config["scale"]
        height, width = shape[:2] if shape is not None else (image.height // scale, image.width // scale)
        [large] = same_view([np.asarray(image)], (scale * height, scale * width), generator)
        small = Image.fromarray(large).resize((width, height), Image.Resampling.BICUBIC)
        return np.asarray(small), large.astype(np.float32)

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        return "mean_absolute_error"

    def metrics(self, entry: Entry) -> list[Any]:
        return [psnr_db]

    def measure(self, entry: Entry, examples: Examples | None) -> SuperResolutionMeasure:
        return SuperResolutionMeasure()

    def draw(self, entry, measure, example, folder) -> None:
        small, large, output = example
        report.write_row([bicubic(small, large.shape), output, large], folder / "bicubic-output-target.png")


def psnr_db(target: Any, output: Any) -> Any:
    """The peak signal-to-noise ratio of each image, 0 to 255, over red, green and blue: `(b, h, w, 3)` -> `(b,)`."""
    from keras import ops

    error = ops.mean(ops.square(ops.clip(output, 0, 255) - target), axis=(1, 2, 3))
    return 10 * ops.log10(255**2 / ops.maximum(error, 1e-3))


TRAINER = SuperResolutionTrainer()
