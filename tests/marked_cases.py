"""Many cases that promise the same: some are always tested, others marked `slow`, of some kinds most `release`."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import pytest


def first_of_each(
    cases: Iterable[Any],
    kind: Callable[[Any], Hashable] = lambda case: None,
    finer: Callable[[Any], Hashable] | None = None,
) -> list[Any]:
    """Parameters for `pytest.mark.parametrize`, tuples for several arguments; without `kind` all cases are of one.

    With `finer`, another kind, those are `slow` that are the first of that kind alone, and all others `release`.
    """
    seen: set[Hashable] = set()
    marked = []
    for case in cases:
        values = case if isinstance(case, tuple) else (case,)
        kinds = [("kind", kind(case)), *([("finer", finer(case))] if finer else [])]
        if kinds[0] not in seen:
            marks = []
        elif finer is None or kinds[1] not in seen:
            marks = [pytest.mark.slow]
        else:
            marks = [pytest.mark.release]
        marked.append(pytest.param(*values, marks=marks))
        seen.update(kinds)
    return marked


def slow_except(quick: Iterable[Any], cases: Iterable[Any]) -> list[Any]:
    """Parameters for `pytest.mark.parametrize`: all cases, those that are not among `quick` marked `slow`."""
    always = set(quick)
    return [pytest.param(case, marks=[pytest.mark.slow] * (case not in always)) for case in cases]


def release_except(slow: Iterable[Any], cases: Iterable[Any]) -> list[Any]:
    """Parameters for `pytest.mark.parametrize`, tuples for several arguments: those among `slow` marked so, all others
    `release`."""
    sooner, marked = set(slow), []
    for case in cases:
        values = case if isinstance(case, tuple) else (case,)
        marked.append(pytest.param(*values, marks=pytest.mark.slow if case in sooner else pytest.mark.release))
    return marked
