"""What each runtime takes on this machine: measured once for weights, versions and a shape of batches, and kept.

<cache_dir>/zoo-runtimes/<hash>/milliseconds.json
"""

import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from zoo.model import ZooModel
from zoo.processor import described
from zoo.runtimes.conversion import CONVERSIONS, locked_folder
from zoo.whole import whole_file

_SECONDS = 1.0  # of trial, of all runtimes together
_TURN = 0.1  # seconds that one is called in a row
_LEAST = 3  # turns of each
_HOPELESS = 2.0  # times the fastest


def kept(
    model: ZooModel,
    names: Sequence[str],
    batch: Any,
    cache_dir: str | os.PathLike[str] | None,
    measure: Callable[[], dict[str, float] | None],
) -> dict[str, float] | None:
    """Milliseconds of each runtime that can be used, of those called `names`: from the cache, or else by `measure`, and
    None, which is not kept, where that does not measure.

    Raises:
        AccessError: The cache cannot be written.
        As `measure`.
    """
    distributions = sorted({each for name in names if name != "keras" for each in CONVERSIONS[name].distributions})
    shapes = [list(array.shape) for array in keras.tree.flatten(batch)]
    with locked_folder(model, [list(names), shapes, described()], distributions, cache_dir) as folder:
        path = folder / "milliseconds.json"
        if (found := _read(path, names)) is None:
            found = measure()
            if found is not None:
                with whole_file(path) as partial:
                    partial.write_text(json.dumps(found), encoding="utf-8")
    return found


def _read(path: Path, names: Sequence[str]) -> dict[str, float] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: float(found[name]) for name in names if name in found} if "keras" in found else None
    except (OSError, ValueError, TypeError):
        return None


def timed(calls: Mapping[str, Callable[[], Any]], seconds: float = _SECONDS) -> dict[str, float]:
    """Milliseconds of each call, the median over interleaved turns, after one call to warm up.

    What takes twice as long as the fastest has one turn only.
    """
    found: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    start, turns = time.perf_counter(), 0
    while turns < _LEAST or time.perf_counter() - start < seconds:
        middle = {name: statistics.median(each) for name, each in found.items() if each}
        for name, call in calls.items():
            if turns == 0 or middle[name] < _HOPELESS * min(middle.values()):
                found[name] += turn(call)
        turns += 1
    return {name: statistics.median(each) for name, each in found.items()}


def turn(call: Callable[[], Any]) -> list[float]:
    """Milliseconds of as many calls in a row as a tenth of a second takes: during the first, threads of whoever was
    called before may still spin."""
    found: list[float] = []
    while sum(found) < 1000 * _TURN:
        before = time.perf_counter()
        call()
        found.append(1000 * (time.perf_counter() - before))
    return found
