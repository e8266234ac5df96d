"""What follows a series."""

from typing import Any, ClassVar

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.errors import InputError
from zoo.tasks.arrays import read_array
from zoo.tasks.task import Prepared, Task


class Forecasting(Task):
    """`forecast`: a list of floats, in the unit of the series."""

    pipeline_tag = "time-series-forecasting"
    example = "series.npy"
    show = 'print(record["forecast"])'
    kind = "series"
    columns: ClassVar = {"forecast": [np.float32]}

    def is_several(self, shape: tuple[int, ...]) -> bool:
        """One series may have an axis of one channel."""
        return len(shape) == 3 or (len(shape) == 2 and shape[-1] != 1)

    def inputs(self, entry: Entry, input_shape: tuple[int | None, ...] | None) -> tuple[Any, tuple[Any, ...]]:
        import keras

        series = keras.Input(input_shape or (None, 1), name="series", dtype="float32")
        return series, (series,)

    def prepare(self, source: Any, entry: Entry) -> Prepared:
        return preprocess_series(source, shortest(entry))

    def postprocess(self, record, entry, prepared, output, top) -> None:
        record["forecast"] = output.tolist()

    def lines(self, record: dict[str, Any]) -> list[str]:
        return [f"{value:g}" for value in record["forecast"]]

    def takes(self, entry: Entry) -> str:
        return (
            "a series in its own unit, float `(batch, time, 1)`, oldest first, at least "
            f"{shortest(entry)} steps; normalisation is inside."
        )

    def gives(self, entry: Entry) -> str:
        horizon = entry.config["horizon"]
        return f"the {horizon} steps that follow, float32 `(batch, {horizon})`, in the unit of the input."


def shortest(entry: Entry) -> int:
    """How many values a series has at least: a season and one more."""
    return entry.config["season"] + 1


def preprocess_series(series: Any, shortest: int) -> np.ndarray:
    """Check that a series is one of numbers and long enough; its unit is left as it is.

    Args:
        series: An array `(time,)` or `(time, 1)`, oldest first, or an `.npy` file of one, in any form of
            `zoo.imaging.forms`.
        shortest: How many values there have to be.

    Returns:
        float32 `(time, 1)`.

    Raises:
        InputError: The file cannot be read, or the array has another shape, NaN, infinity, or too few values.
    """
    array = read_array(series, "series")
    if array.ndim == 2 and array.shape[-1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise InputError(
            f"A series has the shape {array.shape} and the dtype {array.dtype}. Expected numbers in (time,); "
            "pass several series as a list."
        )
    if not np.isfinite(array).all():
        raise InputError("A series contains NaN or infinity. Expected finite numbers; fill its gaps by numpy.interp.")
    if array.size < shortest:
        raise InputError(f"A series has {array.size} values. Expected at least {shortest}: a season and one more.")
    return array[:, None].astype(np.float32)


TASK = Forecasting()
