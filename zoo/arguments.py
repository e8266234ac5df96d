"""Arguments of public functions, checked alike."""

import operator
from typing import Any

from zoo.errors import InputError


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
