"""Many cases that promise the same: the first of each kind is always tested, the others are marked `slow`."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import pytest


def first_of_each(cases: Iterable[Any], kind: Callable[[Any], Hashable] = lambda case: None) -> list[Any]:
    """Parameters for `pytest.mark.parametrize`, tuples for several arguments; without `kind` all cases are of one."""
    seen: set[Hashable] = set()
    marked = []
    for case in cases:
        values = case if isinstance(case, tuple) else (case,)
        marked.append(pytest.param(*values, marks=[pytest.mark.slow] * (kind(case) in seen)))
        seen.add(kind(case))
    return marked


def slow_except(quick: Iterable[Any], cases: Iterable[Any]) -> list[Any]:
    """Parameters for `pytest.mark.parametrize`: all cases, those that are not among `quick` marked `slow`."""
    always = set(quick)
    return [pytest.param(case, marks=[pytest.mark.slow] * (case not in always)) for case in cases]
