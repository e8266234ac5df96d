"""Models that take volumes: `(batch, depth, height, width, 1)`."""

from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.errors import InputError
from zoo.tasks.arrays import read_array
from zoo.tasks.task import Task


class Volumes(Task):
    """Tasks whose input is one volume."""

    example = "scan.npy"
    kind = "volume"
    several_rank = 4

    def inputs(self, entry: Entry, input_shape: tuple[int | None, ...] | None) -> tuple[Any, tuple[Any, ...]]:
        import keras

        volume = keras.Input(input_shape or (None, None, None, 1), name="volume", dtype="float32")
        return volume, (volume,)


def read_volume(volume: Any) -> np.ndarray:
    """Check that a volume is one of finite numbers.

    Args:
        volume: An array `(depth, height, width)`, or the path of an `.npy` file that contains one.

    Returns:
        float32 `(depth, height, width)`.

    Raises:
        InputError: The file cannot be read, or the array has another shape, NaN or infinity.
    """
    array = read_array(volume, "volume")
    if array.ndim != 3 or array.shape[-1] == 1 or 0 in array.shape or array.dtype.kind not in "biuf":
        raise InputError(
            f"A volume has the shape {array.shape} and the dtype {array.dtype}. Expected numbers in "
            "(depth, height, width), without an axis of channels."
        )
    array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise InputError("A volume contains NaN or infinity. Expected finite numbers; see numpy.nan_to_num.")
    return array
