"""Every example is read once before training starts: errors are raised then, not an hour later."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from zoo.errors import InputError, UnreadableError
from zoo.printing import warn

NAMED = 3  # files in a message


def checked(items: Sequence[Any], check: Callable[[Any], Any], *, skip_unreadable: bool) -> tuple[list[Any], list[Any]]:
    """Check examples, in threads.

    Args:
        items: What to read.
        check: Reads one and returns what there is to know of it, such as its size.
        skip_unreadable: Skip unreadable files and name them in a warning; else they are an error.

    Returns:
        The items that stay, and what `check` returned for each.

    Raises:
        UnreadableError: Files cannot be read: names the first of them. Where they may be left out, all of them.
        InputError: As `check`, for what is wrong with a file that can be read.
    """
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda item: _result(check, item), items))
    broken = [result for result in results if isinstance(result, UnreadableError)]
    if broken and (not skip_unreadable or len(broken) == len(items)):
        raise UnreadableError(*_listed(broken))
    if broken:
        said = f"{len(broken)} of {len(items)} examples cannot be read and are left out:"
        warn(said, *_listed(broken))
    kept = [place for place, result in enumerate(results) if not isinstance(result, UnreadableError)]
    return [items[place] for place in kept], [results[place] for place in kept]


def _result(check: Callable[[Any], Any], item: Any) -> Any:
    try:
        return check(item)
    except UnreadableError as error:
        return error


def _listed(errors: Sequence[InputError]) -> list[str]:
    """A line for each, and one for those that are not named."""
    more = [] if len(errors) <= NAMED else [f"... and {len(errors) - NAMED} more."]
    return [*map(str, errors[:NAMED]), *more]
