"""The mean of what a network makes of several views of an image.

`tta="flip"`: of it and its mirror image, or of all eight orientations; `tta="multi"`: of both at three sizes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras.ops import convert_to_numpy, image

from zoo.errors import InputError
from zoo.model import ZooModel

TURNED = ("super-resolution",)  # whose outputs turn with their inputs: eight orientations
MAPS = ("semantic-segmentation",)  # up and down are not alike: the image and its mirror image, whose output is one
VECTORS = (
    "image-classification",
    "multi-label-classification",
    "image-regression",
    "image-features",
)  # the same for both
SIZES = (1.0, 0.75, 1.25)  # of the image's own, with "multi"


def averaging(network: Callable[[Any], Any], model: ZooModel, tta: str | None) -> Callable[[Any], Any]:
    """The network itself where `tta` is None, else the network of the mean, for batches `(batch, height, width, c)`.

    Raises:
        InputError: `tta` is not known, or the model's images cannot be turned or resized.
    """
    if tta is None:
        return network
    if tta not in ("flip", "multi"):
        raise InputError(
            f"tta={tta!r} is not known. Expected None, 'flip' for a mean over mirrored images, or 'multi' for one over "
            "several sizes too."
        )
    if tta == "multi":
        return _at_sizes(network, model)
    if model.spec.task in (*MAPS, *VECTORS):
        return lambda batch: _mirrored(network, batch, is_map=model.spec.task in MAPS)
    if model.spec.task not in TURNED:
        raise InputError(
            f"{model.spec.name} is for {model.spec.task}, whose outputs cannot be averaged over mirrored images. "
            f"Expected a model for {', '.join((*TURNED, *MAPS, *VECTORS))} with tta='flip'; leave tta out."
        )
    height, width = model.input_shape[1:3]
    if height != width:
        raise InputError(
            f"{model.spec.name} takes images of {height} x {width} pixels only, which cannot be turned. Expected a "
            "model that was loaded without input_shape; or leave tta out."
        )
    return lambda batch: _mean(network, batch)


def _at_sizes(network: Callable[[Any], Any], model: ZooModel) -> Callable[[Any], Any]:
    entry = model.spec
    if entry.task not in (*MAPS, *VECTORS) or None not in model.input_shape[1:3]:
        raise InputError(
            f"tta='multi' does not fit {entry.name} ({entry.task}, {model.input_shape[1:3]} pixels). Expected a model "
            f"for {', '.join((*MAPS, *VECTORS))} that takes images of any size; leave tta out."
        )

    def mean(batch: np.ndarray) -> np.ndarray:
        total = _mirrored(network, batch, is_map=entry.task in MAPS)
        shape = total.shape[1:3]
        for size in SIZES[1:]:
            sides = tuple(max(1, round(size * side)) for side in batch.shape[1:3])
            found = _mirrored(network, _resized(batch, sides), is_map=entry.task in MAPS)
            total = total + (_resized(found, shape) if entry.task in MAPS else found)
        return total / len(SIZES)

    return mean


def _resized(batch: np.ndarray, sides: tuple[int, ...]) -> np.ndarray:
    found = image.resize(np.asarray(batch, np.float32), sides, "bilinear", antialias=True, data_format="channels_last")
    return convert_to_numpy(found)


def _mirrored(network: Callable[[Any], Any], batch: np.ndarray, *, is_map: bool) -> np.ndarray:
    other = convert_to_numpy(network(np.ascontiguousarray(batch[:, :, ::-1])))
    return (convert_to_numpy(network(batch)) + (other[:, :, ::-1] if is_map else other)) / 2


def _mean(network: Callable[[Any], Any], batch: np.ndarray) -> np.ndarray:
    total: Any = 0
    for turns in range(4):
        for step in (1, -1):
            turned = np.rot90(batch, turns, axes=(1, 2))[:, :, ::step]
            outputs = convert_to_numpy(network(np.ascontiguousarray(turned)))
            total = total + np.rot90(outputs[:, :, ::step], -turns, axes=(1, 2))
    return total / 8
