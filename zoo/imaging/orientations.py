"""The mean of what a network makes of an image in its eight orientations, each turned back: tta="flip"."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras.ops import convert_to_numpy

from zoo.errors import InputError
from zoo.model import ZooModel

TASKS = ("super-resolution",)  # whose outputs turn with their inputs, and whose mean is an output


def averaging(network: Callable[[Any], Any], model: ZooModel, tta: str | None) -> Callable[[Any], Any]:
    """The network itself where `tta` is None, else the network of the mean, for batches `(batch, height, width, c)`.

    Raises:
        InputError: `tta` is neither None nor "flip", or the model is not one that can be turned.
    """
    if tta is None:
        return network
    if tta != "flip":
        raise InputError(f"tta={tta!r} is not known. Expected None, or 'flip' for the mean of eight orientations.")
    if model.spec.task not in TASKS:
        raise InputError(
            f"{model.spec.name} is for {model.spec.task}, whose outputs cannot be averaged over orientations. Expected "
            f"a model for {' or '.join(TASKS)} with tta='flip'; leave tta out."
        )
    height, width = model.input_shape[1:3]
    if height != width:
        raise InputError(
            f"{model.spec.name} takes images of {height} x {width} pixels only, which cannot be turned. Expected a "
            "model that was loaded without input_shape; or leave tta out."
        )
    return lambda batch: _mean(network, batch)


def _mean(network: Callable[[Any], Any], batch: np.ndarray) -> np.ndarray:
    total: Any = 0
    for turns in range(4):
        for step in (1, -1):
            turned = np.rot90(batch, turns, axes=(1, 2))[:, :, ::step]
            outputs = convert_to_numpy(network(np.ascontiguousarray(turned)))
            total = total + np.rot90(outputs[:, :, ::step], -turns, axes=(1, 2))
    return total / 8
