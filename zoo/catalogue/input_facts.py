"""What the models of each task take, in a line of `zoo info`: NumPy and the tasks are not imported for it."""

from collections.abc import Callable
from typing import Any

from zoo.catalogue.task_names import TaskName


def input_facts(facts: dict[str, Any]) -> str:
    """What goes into the model, in a line, by its facts as JSON has them.

    Example:
        >>> import zoo
        >>> from zoo.catalogue.input_facts import input_facts
        >>> input_facts(zoo.info("unet3d-phantoms").model_dump())
        'a volume (depth, height, width) of any size'
    """
    line = LINES[facts["task"]]
    return line if isinstance(line, str) else line(facts)


def _image(facts: dict[str, Any]) -> str:
    wanted = facts["input"]
    size = "any size" if wanted["size"] is None else f"{wanted['size']} x {wanted['size']} pixels"
    if wanted["crop_mode"] == "shortest":
        size = f"the shorter side {wanted['size']} pixels, the longer {wanted['longest'] or 'any'} at most"
    order = ", BGR" if wanted["channels"] == "bgr" else ""
    return (
        f"{size}, {wanted['interpolation']}, crop {wanted['crop']:g} ({wanted['crop_mode']}), "
        f"mean {tuple(wanted['mean'])}, std {tuple(wanted['std'])}{order}"
    )


def _series(facts: dict[str, Any]) -> str:
    return f"a series of at least {facts['config']['season'] + 1} values"


_COORDINATES = "(x, y) in pixels"
_VOLUME = "a volume (depth, height, width) of any size"
LINES: dict[TaskName, str | Callable[[dict[str, Any]], str]] = {
    "coordinate-classification": _COORDINATES,
    "coordinate-regression": _image,
    "coordinate-rendering": _COORDINATES,
    "depth-completion": "a depth map in metres, 0 = none: a 16-bit PNG of metres x 256, or an .npy file",
    "forecasting": _series,
    "image-classification": _image,
    "image-features": _image,
    "image-regression": _image,
    "inpainting": "an image of any size and a mask, 1 = whole, 0 = hole; or a PNG whose holes are transparent",
    "multi-label-classification": _image,
    "object-detection": _image,
    "semantic-segmentation": _image,
    "super-resolution": _image,
    "volume-features": _VOLUME,
    "volume-segmentation": _VOLUME,
}
