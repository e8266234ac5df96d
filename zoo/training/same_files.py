"""Which examples are the same file, so that none is both trained and evaluated on."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.datasets.hugging_face import Cell
from zoo.printing import as_text, warn


def first_of_each(inputs: Sequence[Any], *, copies: bool) -> list[int]:
    """For each input the place of the first one that is the same file; of what is not a file, its own place.

    Args:
        inputs: Paths, cells of a split of Hugging Face's `datasets`, or anything else.
        copies: Whether files with the same content are the same; else only links to one file are.
    """
    files = [_file(one) for one in inputs]
    status = [None if file is None else file.stat() for file in files]
    counts = Counter(one.st_size for one in status if one is not None)
    places: dict[Any, int] = {}
    firsts = []
    for place, (one, file, facts) in enumerate(zip(inputs, files, status, strict=True)):
        key: Any = place
        if file is not None and facts is not None:
            is_alone = not copies or counts[facts.st_size] == 1
            key = (facts.st_dev, facts.st_ino) if is_alone else content(file)
        elif copies and isinstance(one, Cell):
            key = ("cell", one.checksum())
        firsts.append(places.setdefault(key, place))
    return firsts


def say_shared(training: Sequence[Any], validation: Sequence[Any]) -> None:
    """Warn of validation files that are also trained on: they make a model look better than it is."""
    mine, others = ([file for file in map(_file, inputs) if file is not None] for inputs in (training, validation))
    sizes = {file.stat().st_size for file in mine} & {file.stat().st_size for file in others}
    known = {content(file) for file in mine if file.stat().st_size in sizes}
    if shared := [file for file in others if file.stat().st_size in sizes and content(file) in known]:
        warn(
            f"{len(shared)} of {len(validation)} validation examples are also trained on, such as "
            f"{as_text(shared[0])}: they make the model look better than it is."
        )


def content(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file(one: Any) -> Path | None:
    """The file of an input, where it is one; of an example that is a tuple, of its input."""
    first = one[0] if isinstance(one, tuple) else one
    return Path(first) if isinstance(first, str | os.PathLike) else None
