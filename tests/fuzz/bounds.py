"""One call under watch: only documented errors come out of it, in bounded time and memory."""

import os
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from zoo.errors import ZooError

SECONDS = float(os.environ.get("ZOO_FUZZ_SECONDS", "0"))  # for each kind of file; 0 for the usual number of cases
LONGEST_SECONDS = 20.0  # of one call, in its own CPU time
LARGEST_BYTES = 512 << 20  # that one call may take
_STATUS = Path("/proc/self/status")


def fuzz(
    name: str,
    cases: int,
    attempt: Callable[[Random], Any],
    allowed: tuple[type[Exception], ...] = (),
    *,
    rest: bool = False,
) -> None:
    """Make numbered cases, each from its own seed, and fail with all that went wrong.

    Args:
        name: Of the kind; with the number of a case it seeds it.
        cases: How many, where no time is given.
        attempt: Makes one file and has it read.
        allowed: Errors beside this library's own that are documented.
        rest: Leave out the first quarter of the cases, in place of the others.
    """
    wrong: list[str] = []
    first, last = (cases // 4, cases) if rest else (0, cases // 4)
    began, number = time.monotonic(), first
    while (number < last if not SECONDS else time.monotonic() - began < SECONDS) and len(wrong) < 10:
        found = _watched(attempt, Random(f"{name} {number}"), allowed)
        if found:
            wrong.append(f"{name} {number}: {found}")
        number += 1
    if wrong:
        pytest.fail("\n\n".join(wrong), pytrace=False)


def _watched(attempt: Callable[[Random], Any], random: Random, allowed: tuple[type[Exception], ...]) -> str:
    """What was wrong with a case, or ""."""
    before, started = _forget_peak(), time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            attempt(random)
    except (ZooError, *allowed) as error:
        if not str(error).replace("\n", "").isprintable() or not str(error).strip():
            return f"{type(error).__name__} without a sentence: {str(error)[:200]!r}"
    except Exception:
        return "raw " + "".join(traceback.format_exc().splitlines(keepends=True)[-12:])
    seconds, taken = time.process_time() - started, _peak("VmHWM") - before
    if seconds > LONGEST_SECONDS:
        return f"took {seconds:.0f} s"
    if taken > LARGEST_BYTES:
        return f"took {taken >> 20} MiB"
    return ""


def _forget_peak() -> int:
    """Begin to watch the memory anew; returns how much is taken now. Only Linux tells."""
    if not _STATUS.exists():
        return 0
    Path("/proc/self/clear_refs").write_text("5")
    return _peak("VmRSS")


def _peak(name: str) -> int:
    if not _STATUS.exists():
        return 0
    [line] = [line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) << 10
