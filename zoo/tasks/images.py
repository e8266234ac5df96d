"""Models that take images: RGB, channels last, 0 to 255."""

from typing import Any

from zoo.catalogue.entry import Entry
from zoo.imaging.preprocessing import preprocess
from zoo.printing import as_markdown
from zoo.tasks.task import Prepared, Task


def normalization(entry: Entry) -> Any:
    """The first layer of a network for images: 0 to 255 -> `(x / 255 - mean) / std`."""
    import keras

    scale = [1 / (255 * s) for s in entry.input.std]
    offset = [-m / s for m, s in zip(entry.input.mean, entry.input.std, strict=True)]
    return keras.layers.Rescaling(_of_channels(scale), _of_channels(offset), name="normalization")


def _of_channels(values: list[float]) -> Any:
    """One number where all channels have the same, which TensorFlow computes faster; else (1, 1, channels): a plain
    list would be for channels first wherever Keras' configuration says so."""
    return values[0] if len(set(values)) == 1 else [[values]]


class Images(Task):
    """Tasks whose input is one image."""

    def inputs(self, entry: Entry, input_shape: tuple[int | None, ...] | None) -> tuple[Any, tuple[Any, ...]]:
        import keras

        image = keras.Input(input_shape or (None, None, len(entry.input.mean)), name="image", dtype="float32")
        return image, (normalization(entry)(image),)

    def prepare(self, source: Any, entry: Entry) -> Prepared:
        return preprocess(source, entry.input)

    def takes(self, entry: Entry) -> str:
        channels = len(entry.input.mean)
        kind = {1: "grey", 3: "RGB"}.get(channels, f"{channels} channels")
        text = f"{kind}, 0 to 255, uint8 or float, `(batch, height, width, {channels})`; height and width in pixels."
        if entry.input.size is None:
            return f"{text} Any size, unchanged; normalisation is inside."
        image = entry.input
        return (
            f"{text} Measured at {image.size} x {image.size}; `model.preprocess(image)` resizes "
            f"({image.interpolation}, crop {image.crop:g}, {image.crop_mode}). Normalisation is inside."
        )


def classes(entry: Entry) -> str:
    """The names of the classes, for a card."""
    if isinstance(entry.labels, str):
        return f"the list `{entry.labels}`"
    return ", ".join(map(as_markdown, entry.labels)) if entry.labels else "without names"
