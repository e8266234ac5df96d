"""What a model is trained on: pairs of a source and its target, found and checked before training starts."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.datasets.hugging_face import Cell
from zoo.printing import warn
from zoo.training.same_files import first_of_each

HELD_OUT = 0.2  # the fraction of the examples that is held out where no validation data are passed


@dataclass(frozen=True)
class Examples:
    """Sources with their target, not yet read.

    `items` is what the trainer reads, one per example. `classes` contains the class of each, and `labels` the classes'
    names, where examples have one class, or those of labels and quantities; `units` those of quantities; `either` the
    classes that count as right where the data have one name for several. `pixels` contains how many pixels of each
    class each example has. `shape` is what every input has: of images that differ, the smallest height and width.
    """

    items: tuple[Any, ...]
    shape: tuple[int, ...] = ()
    labels: tuple[str, ...] | None = None
    classes: tuple[int, ...] | None = None
    pixels: tuple[tuple[int, ...], ...] | None = None
    units: tuple[str, ...] = ()
    either: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def part(self, positions: Iterable[int]) -> "Examples":
        """Those at `positions`, in this order."""
        chosen = list(positions)
        known = {name: getattr(self, name) for name in ("items", "classes", "pixels")}
        parts: dict[str, Any] = {
            name: tuple(values[place] for place in chosen) for name, values in known.items() if values is not None
        }
        return replace(self, **parts)

    def digest(self) -> str:
        """A hash that changes with the examples: names and sizes of files, values of arrays."""
        return digest(self.items)


def hold_out(examples: Examples, seed: int) -> tuple[Examples, Examples]:
    """Split the examples: a fifth for validation, at least one per class, the same for the same `seed`.

    The same file, linked or copied, is never on both sides; but where every class is nothing but copies of one file,
    so that there would be no validation data, copies are, with a warning.
    """
    inputs = [item[0] if isinstance(item, tuple) else item for item in examples.items]
    classes = np.zeros(len(inputs), int) if examples.classes is None else np.array(examples.classes)
    held = _held(np.array(first_of_each(inputs, copies=True)), classes, seed)
    if not held.any():
        held = _held(np.array(first_of_each(inputs, copies=False)), classes, seed)
        if held.any():
            warn("Each class is copies of one file: the validation data are also trained on.")
    return examples.part(np.flatnonzero(~held).tolist()), examples.part(np.flatnonzero(held).tolist())


def _held(firsts: np.ndarray, classes: np.ndarray, seed: int) -> np.ndarray:
    """Which examples are held out; those with the same first one stay together."""
    generator, chosen = np.random.default_rng(seed), set()
    for label in np.unique(classes):
        places = generator.permutation(np.flatnonzero((classes == label) & (firsts == np.arange(len(firsts)))))
        chosen.update(places[: max(1, round(HELD_OUT * len(places))) if len(places) > 1 else 0].tolist())
    return np.isin(firsts, sorted(chosen))


def class_weights(classes: Sequence[int]) -> dict[int, float] | None:
    """Weights in the loss that balance the classes; None where they are balanced already."""
    numbers, counts = np.unique(np.array(classes), return_counts=True)
    if counts.min() == counts.max():
        return None
    weights = len(classes) / (len(counts) * counts)
    return {int(number): float(weight) for number, weight in zip(numbers, weights, strict=True)}


def pixel_weights(pixels: Sequence[Sequence[int]]) -> np.ndarray:
    """Weights of the pixels of each class in the loss, float32 `(classes,)`; 1 for a class of median frequency.

    The square root of Eigen and Fergus' median frequency balancing (2015, https://arxiv.org/abs/1411.4734): the whole
    of it lets rare classes, such as poles, take over what is beside them.
    """
    counts = np.array(pixels, np.float64)
    images = np.where(counts > 0, counts.sum(axis=1, keepdims=True), 0).sum(axis=0)  # pixels of those that have it
    present = images > 0
    frequency = counts.sum(axis=0)[present] / images[present]
    weights = np.ones(counts.shape[1], np.float32)
    weights[present] = np.sqrt(np.median(frequency) / frequency)
    return weights


def digest(things: Any) -> str:
    """SHA-256 of a tree of paths (name and size), arrays and plain values."""
    total, seen = hashlib.sha256(), set()
    for leaf in _leaves(things):
        if isinstance(leaf, np.ndarray) and id(leaf) in seen:  # many stretches of one series
            continue
        seen.add(id(leaf))
        if isinstance(leaf, os.PathLike):
            path = Path(leaf)
            total.update(f"{path.parent.name}/{path.name} {path.stat().st_size}\n".encode())
        elif isinstance(leaf, Cell):
            total.update(f"{leaf.checksum()}\n".encode())
        elif isinstance(leaf, np.ndarray):
            total.update(f"{leaf.shape} {leaf.dtype}\n".encode())
            total.update(np.ascontiguousarray(leaf).data)
        else:
            total.update(f"{leaf!r}\n".encode())
    return total.hexdigest()


def _leaves(things: Any) -> Iterable[Any]:
    if isinstance(things, tuple | list):
        for thing in things:
            yield from _leaves(thing)
    elif isinstance(things, dict):
        for key in sorted(things):
            yield key
            yield from _leaves(things[key])
    else:
        yield things
