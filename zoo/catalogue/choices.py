"""What models may be chosen by: checked, and refused with what there is where no model can match."""

import fnmatch
import math
import re
import reprlib
from collections.abc import Callable, Iterable
from typing import Any

from zoo.arguments import did_you_mean
from zoo.catalogue.multiply_adds import multiply_adds_millions
from zoo.errors import InputError

Facts = dict[str, Any]  # of one model, as `listing.listed` has them

# What models are sorted by, besides their metrics.
ORDERS: dict[str, Callable[[Facts], Any]] = {
    "name": lambda facts: facts["name"],
    "parameters": lambda facts: facts.get("parameters_millions"),
    "multiply_adds": lambda facts: multiply_adds_millions(facts["name"]),
    "size": lambda facts: facts["input"].get("size"),
}


def check_choice(name: str, value: Any, choices: Iterable[str], *, pattern: bool = False) -> None:
    """Check that a value, or a shell `pattern`, is one that a model has.

    Raises:
        InputError: It is not; says which there are.
    """
    if value is None:
        return
    known = sorted(set(choices))
    if not isinstance(value, str) or not (any(fnmatch.fnmatchcase(each, value) for each in known) or value in known):
        expected = "one, or a pattern such as '*in12k*'" if pattern else _some(known)
        raise InputError(
            f"{name}={reprlib.repr(value)} is not the {name} of any model. Expected {expected}. "
            f"{did_you_mean(str(value), known) or 'Leave it out for all models.'}"
        )


def _some(known: list[str]) -> str:
    """What there is, for a sentence: all of it where that is little."""
    if len(known) > 12:
        return f"one of {len(known)}, such as {', '.join(known[:5])}"
    return f"one of {', '.join(known)}"


def check_limit(name: str, value: Any, unit: str) -> None:
    """Check that a limit is a number above 0.

    Raises:
        InputError: It is not.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (is_number and value > 0):
        raise InputError(f"{name}={reprlib.repr(value)}. Expected {unit}, more than 0; leave it out for all models.")


def at_most(number: float | None, limit: float | None) -> bool:
    """Whether a number is known and within the limit, where there is one."""
    return limit is None or (number is not None and number <= limit)


def metric_bound(metric: Any, metrics: Iterable[str]) -> tuple[str | None, float, float]:
    """The name of a metric, and the lowest and highest value that are asked for, of `top1_percent>=80`.

    Raises:
        InputError: No model states it, or the bound is not a number.
    """
    if metric is None:
        return None, -math.inf, math.inf
    parts = re.fullmatch(r"([^<>=]*)(?:(>=|<=)([^<>=]*))?", metric) if isinstance(metric, str) else None
    name, sign, text = parts.groups() if parts else ("", None, None)
    known = sorted(set(metrics))
    limit = _number(text) if sign else math.inf
    if name.strip() not in known or limit is None:
        raise InputError(
            f"metric={reprlib.repr(metric)}. Expected {_some(known)}, or a bound for one, 'top1_percent>=80'. "
            f"{did_you_mean(name, known) or 'Leave it out for all models.'}"
        )
    return name.strip(), limit if sign == ">=" else -math.inf, limit if sign == "<=" else math.inf


def _number(text: Any) -> float | None:
    try:
        return number if math.isfinite(number := float(text)) else None
    except ValueError:
        return None


def ordered(models: list[Facts], sort: Any, metrics: Iterable[str]) -> list[Facts]:
    """Models by one of `ORDERS` or a metric, highest first with a minus before it; unknown values come last.

    Raises:
        InputError: There is no such order.
    """
    choices = [*ORDERS, *metrics]
    name = sort.removeprefix("-") if isinstance(sort, str) else ""
    if name not in choices:
        raise InputError(
            f"sort={reprlib.repr(sort)}. Expected one of {', '.join(ORDERS)} or a metric, with a minus before it for "
            f"the highest first. {did_you_mean(name, choices) or 'Leave it out for the order of the registry.'}"
        )
    value = ORDERS.get(name, lambda facts: facts.get("metrics", {}).get(name))
    known = [facts for facts in models if value(facts) is not None]
    return sorted(known, key=value, reverse=sort.startswith("-")) + [facts for facts in models if value(facts) is None]
