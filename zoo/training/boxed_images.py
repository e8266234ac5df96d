"""Images with boxes for detectors: from a folder, from memory, or from a split of `datasets`, checked one by one."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.datasets import boxes, hugging_face
from zoo.datasets.boxes import Box, Boxed
from zoo.datasets.class_names import find_classes
from zoo.errors import InputError
from zoo.imaging.planes import read_image
from zoo.training.trainer import is_folder, pairs


def found_images(data: Any, split: str, what: str) -> tuple[tuple[str, ...] | None, list[Boxed]]:
    """The names of the classes, where the data have some, and the images with their objects."""
    if is_folder(data):
        return boxes.find_boxes(data, split)
    names = None
    if hugging_face.is_split(data):
        names, data = _columns(data)
    return names, [_in_memory(image, target) for image, target in pairs(data, what)]


def are_other(names: tuple[str, ...] | None, known: tuple[str, ...] | None) -> bool:
    """Whether the data have other classes than the model, so that it gets a new head."""
    return names is not None and (known is None or set(names) != set(known))


def with_background(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The names of the classes of a model whose first one is background."""
    return None if names is None else ("background", *(name for name in names if name != "background"))


def _columns(data: Any) -> tuple[tuple[str, ...] | None, Any]:
    """A split of `datasets` as the names of its classes, where it declares them, and its images with their objects: a
    column `objects` with `bbox` (x, y, width, height) and `category`."""
    if "objects" not in data.column_names:
        raise InputError(
            f"The split has the columns {', '.join(data.column_names)}. Expected a column of images, and `objects` "
            "with `bbox` (x, y, width, height) and `category`."
        )
    rows = data.select_columns(["objects"]).with_format(None)
    targets = []
    for row in range(len(data)):
        objects = rows[row]["objects"]
        sides = [(x, y, x + width, y + height) for x, y, width, height in objects["bbox"]]
        targets.append({"boxes": sides, "classes": objects["category"]})
    return _declared(data), (hugging_face.images(data), targets)


def _declared(split: Any) -> tuple[str, ...] | None:
    objects: Any = split.features["objects"]
    category = getattr(objects, "feature", objects)["category"]
    names = getattr(getattr(category, "feature", category), "names", None)
    return None if names is None else tuple(names)


def _in_memory(image: Any, target: Any) -> Boxed:
    classes = target.get("classes", target.get("labels")) if isinstance(target, Mapping) else None
    if not isinstance(target, Mapping) or "boxes" not in target or classes is None:
        raise InputError(
            f"A target is a {type(target).__name__}. Expected a dict of `boxes`, (x1, y1, x2, y2) in pixels for each "
            "object, and `classes`, their numbers."
        )
    sides, classes = np.asarray(target["boxes"], "float64").reshape(-1, 4), np.asarray(classes).ravel()
    if len(sides) != len(classes) or (len(classes) and classes.dtype.kind not in "iu"):
        raise InputError(
            f"A target has {len(sides)} boxes and {len(classes)} classes ({classes.dtype}). Expected as many, and ints."
        )
    return Boxed(image, tuple(Box(tuple(box), int(label)) for box, label in zip(sides.tolist(), classes, strict=True)))


def renumbered(found: Sequence[Boxed], names: Sequence[str] | None, known: tuple[str, ...] | None) -> list[Boxed]:
    """The objects with the model's numbers, by the names of the classes; those of data without names are the model's.

    Raises:
        InputError: The model does not know a class, or has two of its name.
    """
    if known is None or names is None:
        return list(found)
    numbers = [one[0] for one in find_classes(names, known, None)]
    return [item._replace(boxes=tuple(box._replace(label=numbers[box.label]) for box in item.boxes)) for item in found]


def checked_objects(item: Boxed, count: int | None, first: int) -> tuple[Box, ...]:
    """The objects of an image, which is read, with their boxes in its pixels.

    Raises:
        InputError: One is wrong, see `zoo.datasets.boxes.checked_boxes`.
        UnreadableError: The image is damaged.
    """
    image = read_image(item.image)
    what = str(item.image) if is_folder(item.image) else "An image"
    return boxes.checked_boxes(item, image.size, what, count, first)
