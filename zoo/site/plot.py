"""Accuracy against size or speed as a drawing: where each point and each mark of the axes lies."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from zoo.catalogue.entry import Entry

WIDTH, HEIGHT = 800, 440  # in the drawing's own units; the page scales it
LEFT, RIGHT, TOP, BOTTOM = 50, 768, 16, 400  # the field between the axes


class Point(NamedTuple):
    """A model in the field; `x` and `y` in the drawing's units, `across` and `percent` the numbers they stand for."""

    name: str
    x: float
    y: float
    across: float
    percent: float


class Mark(NamedTuple):
    """A mark of an axis: where it lies along it, in the drawing's units, and its number."""

    at: float
    text: str


class Plot(NamedTuple):
    """Points from left to right, and the marks of both axes."""

    points: list[Point]
    x_marks: list[Mark]
    y_marks: list[Mark]


def accuracy_plot(entries: Iterable[Entry], metric: str, across: Callable[[Entry], float | None]) -> Plot:
    """Place each of `entries` that states `metric`, in percent, and has a number `across`, above 0: that from left to
    right on a logarithmic scale, its accuracy from bottom to top.

    Raises:
        ValueError: There is none.
    """
    known = [entry for entry in entries if metric in entry.metrics and across(entry)]
    sizes = [across(entry) or 0 for entry in known]  # never 0: the line above
    accuracies = [entry.metrics[metric] for entry in known]
    x_numbers, y_numbers = _one_two_five(min(sizes), max(sizes)), _fives(min(accuracies), max(accuracies))

    def x(number: float) -> float:
        share = math.log(number / x_numbers[0]) / math.log(x_numbers[-1] / x_numbers[0])
        return round(LEFT + share * (RIGHT - LEFT), 1)

    def y(percent: float) -> float:
        share = (percent - y_numbers[0]) / (y_numbers[-1] - y_numbers[0])
        return round(BOTTOM - share * (BOTTOM - TOP), 1)

    points = [
        Point(entry.name, x(number), y(percent), number, percent)
        for entry, number, percent in zip(known, sizes, accuracies, strict=True)
    ]
    return Plot(
        sorted(points, key=lambda point: (point.x, -point.y)),
        [Mark(x(number), f"{number:g}") for number in x_numbers],
        [Mark(y(number), f"{number:g}") for number in y_numbers],
    )


def _one_two_five(lowest: float, highest: float) -> list[float]:
    """1, 2, 5, 10, ... from the last that is at most `lowest` to the first that is at least `highest`."""
    decades = range(math.floor(math.log10(lowest)), math.ceil(math.log10(highest)) + 2)
    numbers = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
    first = max(index for index, number in enumerate(numbers) if number <= lowest)
    last = min(index for index, number in enumerate(numbers) if number >= highest and index > first)
    return numbers[first : last + 1]


def _fives(lowest: float, highest: float) -> list[float]:
    first = math.floor(lowest / 5)
    last = max(math.ceil(highest / 5), first + 1)
    return [5.0 * step for step in range(first, last + 1)]
