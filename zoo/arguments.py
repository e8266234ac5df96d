"""Checks of arguments that several public functions share, and suggestions for misspelt names."""

import difflib
import operator
from collections.abc import Callable, Iterable
from typing import Any

from zoo.errors import InputError

LONGEST = 200  # characters that are compared

# What long calls take as `progress`: called with how many items are done, and how many there are.
Progress = Callable[[int, int], None]


def at_least_one(**values: Any) -> list[int]:
    """Whole numbers of at least 1, of any type that is one, by the names that the caller knows.

    Raises:
        InputError: One is not; the message names it.

    Example:
        >>> from zoo.arguments import at_least_one
        >>> at_least_one(top=5, batch_size=8)
        [5, 8]
    """
    return [_at_least_one(name, value) for name, value in values.items()]


def _at_least_one(name: str, value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise InputError(f"{name}={value!r}. Expected a whole number of at least 1.")
    return number


def did_you_mean(wrong: str, choices: Iterable[str]) -> str:
    """The question `Did you mean 'a' or 'b'?` for a message; empty where nothing is similar.

    Args:
        wrong: The wrong name, or a shell pattern.
        choices: What there is.
    """
    near = nearest(wrong, choices)
    return f"Did you mean {' or '.join(map(repr, near))}?" if near else ""


def nearest(wrong: str, choices: Iterable[str]) -> list[str]:
    """The most similar choices, three at most, the nearest first."""
    written = wrong[:LONGEST].lower().strip(" *?[]!")
    return difflib.get_close_matches(written, list(choices), n=3, cutoff=0.5)
