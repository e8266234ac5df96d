"""Models that take (x, y), column and row of a pixel, and give an output for every pixel of a canvas."""

import math
from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.errors import InputError
from zoo.imaging.forms import plain
from zoo.tasks.task import Prepared, Task

CANVAS = 64  # pixels per side, of models saved before their `config` had it


class Coordinates(Task):
    """Tasks whose input is (x, y) and whose output is a canvas."""

    pipeline_tag = "tabular-classification"
    example = "40,12"
    kind = "place"
    several_rank = 2
    columns = None

    def inputs(self, entry: Entry, input_shape: tuple[int | None, ...] | None) -> tuple[Any, tuple[Any, ...]]:
        import keras

        coordinates = keras.Input((2,), name="coordinates", dtype="float32")
        return coordinates, (coordinates,)

    def prepare(self, source: Any, entry: Entry) -> Prepared:
        side = entry.config.get("canvas", CANVAS)
        return preprocess_coordinates(source, (side, side))

    def name(self, source: Any, position: int, prepared: Prepared) -> str:
        return "{:g},{:g}".format(*prepared)

    def takes(self, entry: Entry) -> str:
        return "x and y of a pixel, column and row, `(batch, 2)`, from 0; normalisation is inside."


def preprocess_coordinates(place: Any, canvas: tuple[int, int]) -> np.ndarray:
    """Check that (x, y), column and row, is a pixel of a canvas.

    Args:
        place: Two numbers in a tuple, list, array or tensor, or a text of two such as `"40,12"`.
        canvas: Height and width of the canvas in pixels.

    Returns:
        float32 `(2,)`.

    Raises:
        InputError: There are not two numbers, or they are outside.
    """
    height, width = canvas
    try:
        given: Any = plain(place)
        x, y = map(float, given.split(",") if isinstance(given, str) else given)
    except (TypeError, ValueError):  # an InputError is one, too
        x = y = math.nan
    if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
        raise InputError(
            f"{str(place)!r} is not a pixel of the canvas. Expected (x, y), such as (40, 12) or '40,12', "
            f"x from 0 to {width - 1} and y from 0 to {height - 1}."
        )
    return np.array([x, y], "float32")
