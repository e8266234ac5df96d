"""A model of every task that is so simple that what it gives can be counted by hand."""

import keras
import numpy as np
from keras import ops

from tests.training.small_tasks import GREY, entry
from zoo.model import ZooModel

ROWS, COLUMNS = np.mgrid[:64, :64].astype("float32")


def made(inputs, outputs, task, **facts):
    model = ZooModel(inputs, outputs)
    model.spec = entry(task, "espcn.espcn", **{"random": "none", **facts})
    return model


def image(shape=(None, None, 3)):
    return keras.Input(shape, name="image")


def classifier(labels=("red", "green", "blue")):
    """The logits are the mean red, green and blue."""
    pixels = image()
    return made(
        pixels, ops.mean(pixels, axis=(1, 2)), "image-classification", labels=labels, num_classes=3, classifier="fc"
    )


def features():
    pixels = image()
    return made(pixels, ops.mean(pixels, axis=(1, 2)), "image-features", num_classes=0)


def labels():
    """The logits are how far the mean red, green and blue are above 50."""
    pixels = image()
    return made(
        pixels, ops.mean(pixels, axis=(1, 2)) - 50, "multi-label-classification", labels=("red", "green", "blue"),
        num_classes=3, classifier="fc",
    )  # fmt: skip


def quantities():
    """The mean red and the mean green."""
    pixels = image()
    return made(
        pixels, ops.mean(pixels, axis=(1, 2))[:, :2], "image-regression", labels=("red", "green"), num_classes=2,
        classifier="fc",
    )  # fmt: skip


def segmenter():
    """The class of a pixel is its strongest colour."""
    pixels = image()
    return made(pixels, pixels + 0.0, "semantic-segmentation", labels=("red", "green", "blue"), num_classes=3)


def detector():
    """One object, where the image is bright, of the class of the strongest colour; its score is a half."""
    pixels = image()
    bright = ops.max(pixels, axis=-1) > 150
    sides = []
    for axis in (1, 2):
        along = ops.cast(ops.any(bright, axis=axis), "int32")
        length = ops.sum(ops.ones_like(along), axis=-1)
        sides += [ops.argmax(along, axis=-1), length - ops.argmax(ops.flip(along, axis=-1), axis=-1)]
    box = ops.cast(ops.stack([sides[0], sides[2], sides[1], sides[3]], axis=-1), "float32")[:, None]
    best = ops.cast(ops.argmax(ops.sum(pixels, axis=(1, 2)), axis=-1), "int32")[:, None]
    count = ops.cast(ops.any(bright, axis=(1, 2)), "int32")
    outputs = {
        "boxes": ops.concatenate([box, 0 * box], axis=1),
        "scores": ops.pad(0.5 + 0 * box[:, :, 0], ((0, 0), (0, 1))),
        "classes": ops.pad(best, ((0, 0), (0, 1)), constant_values=-1),
        "count": count,
    }
    return made(pixels, outputs, "object-detection", labels=("red", "green", "blue"), num_classes=3)


def depth():
    """What was measured, and 0 elsewhere."""
    inputs = {"image": image((None, None, 1)), "mask": keras.Input((None, None, 1), name="mask")}
    return made(inputs, inputs["image"] * inputs["mask"], "depth-completion", input=GREY)


def inpainting():
    """The holes stay black."""
    inputs = {"image": image(), "mask": keras.Input((None, None, 1), name="mask")}
    return made(inputs, inputs["image"] * inputs["mask"], "inpainting")


def super_resolution():
    """Twice as large, each pixel four times."""
    pixels = image()
    large = ops.repeat(ops.repeat(pixels, 2, axis=1), 2, axis=2)
    return made(pixels, ops.cast(large, "float32"), "super-resolution", config={"scale": 2})


def forecaster():
    """The last four values again."""
    series = keras.Input((None, 1), name="series")
    return made(series, series[:, -4:, 0], "forecasting", config={"horizon": 4, "season": 6})


def named_pixel():
    """The pixel (x, y) has the largest logit."""
    places = keras.Input((2,), name="coordinates")
    across = ops.abs(places[:, None, None, 0] - COLUMNS[None])
    down = ops.abs(places[:, None, None, 1] - ROWS[None])
    return made(places, -(across + down), "coordinate-classification", config={"canvas": 64})


def half_canvas():
    """The left half is drawn."""
    places = keras.Input((2,), name="coordinates")
    canvas = np.where(COLUMNS < 32, 1, -1).astype("float32")[None]
    return made(places, 0 * places[:, None, None, 0] + canvas, "coordinate-rendering", config={"canvas": 64})


def place():
    """x and y are the mean red and green."""
    pixels = image()
    return made(pixels, ops.mean(pixels, axis=(1, 2))[:, :2], "coordinate-regression")


def volumes():
    """Counts above 2 are sought."""
    counts = keras.Input((None, None, None, 1), name="volume")
    return made(counts, counts - 2.5, "volume-segmentation")


def volume_features():
    """The mean, which is 0 after normalisation."""
    counts = keras.Input((None, None, None, 1), name="volume")
    return made(counts, ops.mean(counts, axis=(1, 2, 3)), "volume-features")
