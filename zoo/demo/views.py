"""How the models of each task are shown: one line per task."""

from typing import Any, NamedTuple

from zoo.demo import inputs, outputs
from zoo.demo.inputs import Input
from zoo.demo.outputs import Output
from zoo.demo.uploads import SAMPLES


class View(NamedTuple):
    """What goes in, what comes out, and samples: values for the parts of the input, each a list of them."""

    input: Input
    output: Output
    samples: list[list[Any]]


def _files(*names: str) -> list[list[Any]]:
    return [[str(SAMPLES / name)] for name in names]


_DAMAGED: dict[str, Any] = {"background": str(SAMPLES / "damaged.png"), "layers": [], "composite": None}
_IMAGES = _files("cat.jpg", "pagoda.jpg")
_PHOTOGRAPHS = _files("cat.jpg", "espresso.jpg", "flower.jpg", "pagoda.jpg")
_TEXTURES = _files("bricks.png", "grass.png", "gravel.png")
_PLACES = [[40, 12], [44, 50]]

VIEWS = {
    "coordinate-classification": View(inputs.PLACE, outputs.CANVAS, _PLACES),
    "coordinate-regression": View(inputs.IMAGE, outputs.PLACE, _files("square.png")),
    "coordinate-rendering": View(inputs.PLACE, outputs.CANVAS, _PLACES),
    "depth-completion": View(inputs.DEPTHS, outputs.DEPTHS, _files("depths.png")),
    "forecasting": View(inputs.SERIES, outputs.FORECAST, _files("co2.npy")),
    "image-classification": View(inputs.IMAGE, outputs.BARS, [*_PHOTOGRAPHS, *_TEXTURES]),
    "image-features": View(inputs.IMAGE, outputs.FEATURES, _IMAGES),
    "image-regression": View(inputs.IMAGE, outputs.QUANTITIES, _IMAGES),
    "inpainting": View(inputs.DAMAGED, outputs.MENDED, [[_DAMAGED]]),
    "multi-label-classification": View(inputs.IMAGE, outputs.BARS, _PHOTOGRAPHS),
    "object-detection": View(inputs.IMAGE, outputs.BOXES, _files("cat.jpg", "pagoda.jpg")),
    "semantic-segmentation": View(inputs.IMAGE, outputs.CLASSES, _files("pagoda.jpg", "cat.jpg")),
    "super-resolution": View(inputs.IMAGE, outputs.LARGER, _IMAGES),
    "volume-features": View(inputs.VOLUME, outputs.FEATURES, _files("phantom.npy")),
    "volume-segmentation": View(inputs.VOLUME, outputs.SLICE, _files("phantom.npy")),
}
