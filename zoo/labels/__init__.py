"""Names of classes in the order of the logits, one list per file. Nothing here but lists and their reader."""

import functools
from importlib import resources


@functools.cache
def read_labels(labels: str | tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The names of a list in this folder, one per line after its WordNet synset; a list itself is returned as it is."""
    if not isinstance(labels, str):
        return labels
    return tuple(line.split(" ", 1)[1] for line in _lines(labels))


def label_at(labels: tuple[str, ...] | None, index: int) -> str | None:
    """The name of a class; None where there are no names, or fewer than classes."""
    return labels[index] if labels and index < len(labels) else None


def output_names(labels: str | tuple[str, ...] | None, count: int | None) -> tuple[str, ...]:
    """The names of so many outputs; their numbers where they have none."""
    return read_labels(labels) or tuple(map(str, range(count or 0)))


def read_synsets(labels: str | tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The WordNet synsets of a list in this folder, such as `"n01440764"`; None where the names are in no such list."""
    if not isinstance(labels, str):
        return None
    return tuple(line.split(" ", 1)[0] for line in _lines(labels))


def _lines(name: str) -> list[str]:
    return resources.files("zoo.labels").joinpath(f"{name}.txt").read_text(encoding="utf-8").splitlines()
