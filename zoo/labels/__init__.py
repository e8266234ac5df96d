"""Names of classes in the order of the logits."""

import functools
from importlib import resources


@functools.cache
def read_labels(labels: str | tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The names of a list in this folder, one a line after its WordNet synset; a list itself is returned as it is."""
    if not isinstance(labels, str):
        return labels
    lines = resources.files("zoo.labels").joinpath(f"{labels}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.split(" ", 1)[1] for line in lines)
