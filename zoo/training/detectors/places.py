"""The places of a detector's maps, each as the boxes around it, and which of them belong to an object."""

import functools
import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.catalogue.decoder_names import EVENLY_HALVED
from zoo.catalogue.entry import Entry
from zoo.training.detectors import BACKGROUND, IGNORED

STRIDES = (8, 16, 32)  # of the encoder's maps that a pyramid begins with; two smaller ones stand above them
SIDE = 512  # pixels of the square that a model sees images in, where it states none
IN_CROWD = 0.5  # the share of a place's box in a crowd from which it is left out


def pyramid_places(entry: Entry) -> tuple[np.ndarray, ...]:
    """For each map of a detector with a pyramid the boxes of its places, `(places, 4)`, in their order there.

    They are those of the model's own layers `AnchorBoxes`, for the square that it is trained on.

    Example:
        >>> import zoo
        >>> from zoo.training.detectors.places import pyramid_places
        >>> model = zoo.load("tf_efficientnet_lite0", decoder="fcos", num_classes=3)
        >>> [len(boxes) for boxes in pyramid_places(model.spec)]
        [4096, 1024, 256, 64, 16]
    """
    config = entry.decoder_config
    seen, deepest = config.get("strides") or STRIDES, entry.config.get("output_stride") or STRIDES[-1]
    count = 2 + sum(stride in seen and stride <= deepest for stride in STRIDES)
    options = tuple((name, config[name]) for name in ("smallest",) if name in config)
    return _pyramid_places(entry.input.size or SIDE, entry.decoder or "", options, config.get("pad_to", 1), count)


def all_places(entry: Entry) -> np.ndarray:
    """The same of all maps, one after the other: `(places, 4)`."""
    return np.concatenate(pyramid_places(entry))


@functools.lru_cache(maxsize=8)
def _pyramid_places(
    side: int, decoder: str, options: tuple[tuple[str, Any], ...], pad_to: int, count: int
) -> tuple[np.ndarray, ...]:
    from keras import ops

    place_boxes = importlib.import_module(f"zoo.architectures.decoders.{decoder}").place_boxes
    multiple = max(pad_to, EVENLY_HALVED)
    side = -(-side // multiple) * multiple
    image, found = np.zeros((1, side, side, 1), "float32"), []
    length = side // STRIDES[0]
    for level in range(count):
        places = np.zeros((1, length, length, 1), "float32")
        found.append(ops.convert_to_numpy(place_boxes(level, **dict(options))([image, places])))
        length = -(-length // 2)
    return tuple(found)


def overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of each pair, `(n, 4)` and `(m, 4)` -> `(n, m)`.

    As in `zoo.layers.box_geometry`, and in NumPy: threads do it beside the training, which the backend is busy with.
    """
    common = intersections(boxes, others)
    united = areas(boxes)[:, None] + areas(others)[None] - common
    return common / np.maximum(united, 1e-9)


def intersections(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The area that both of each pair cover, `(n, 4)` and `(m, 4)` -> `(n, m)`."""
    width, height = (
        np.minimum(boxes[:, None, 2 + axis], others[None, :, 2 + axis])
        - np.maximum(boxes[:, None, axis], others[None, :, axis])
        for axis in (0, 1)
    )
    return np.maximum(width, 0) * np.maximum(height, 0)


def areas(boxes: np.ndarray) -> np.ndarray:
    """`(n, 4)` -> `(n,)`."""
    return np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=-1)


def match_by_overlap(places: np.ndarray, boxes: np.ndarray, above: float, below: float) -> np.ndarray:
    """The box that each place stands for, by its number: the one that it overlaps most, from `above` on; `BACKGROUND`
    below `below`, and `IGNORED` between. The places that overlap a box most stand for it, however little that is.

    Ren et al., 2015, https://arxiv.org/abs/1506.01497, section 3.1.2; the last rule as in torchvision.
    """
    overlap = overlaps(places, boxes)
    best = overlap.max(axis=1)
    numbers = np.where(best >= above, overlap.argmax(axis=1), np.where(best < below, BACKGROUND, IGNORED))
    most = overlap.max(axis=0)
    is_best = ((overlap == most[None]) & (most[None] > 0)).any(axis=1)
    return np.where(is_best, overlap.argmax(axis=1), numbers)


def as_targets(
    places: np.ndarray, numbers: np.ndarray, boxes: np.ndarray, classes: np.ndarray, crowds: Sequence[Sequence[float]]
) -> np.ndarray:
    """The target of each place, `(places, 5)`: its class and box. What stands for no box has its own.

    Args:
        places: The boxes around the places, `(places, 4)`.
        numbers: For each place the number of its box, `BACKGROUND` or `IGNORED`.
        boxes: `(boxes, 4)`.
        classes: `(boxes,)`.
        crowds: Boxes around what is not told apart; places of the background that lie in one are left out.
    """
    target = np.concatenate([numbers[:, None], places], axis=1, dtype="float32")
    is_object = numbers >= 0
    target[is_object, 0], target[is_object, 1:] = classes[numbers[is_object]], boxes[numbers[is_object]]
    if len(crowds):
        inside = intersections(places, np.asarray(crowds, "float32")) / areas(places)[:, None]
        target[(numbers == BACKGROUND) & (inside.max(axis=1) >= IN_CROWD), 0] = IGNORED
    return target
