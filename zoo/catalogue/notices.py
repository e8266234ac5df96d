"""What a user should know of a model before relying on it: a warning of the logger `zoo`, once."""

import functools
from collections.abc import Collection
from pathlib import Path

from zoo.catalogue.entry import Entry
from zoo.catalogue.licensing import is_non_commercial
from zoo.printing import warn


def say(entry: Entry, untrained: Collection[str] = ()) -> None:
    """Warn of a checkpoint that must not be used commercially, and of the layers `untrained` that nobody has
    trained."""
    bound = [license for license in (entry.license, entry.base and entry.base.license) if license]
    if restricted := next(filter(is_non_commercial, bound), None):
        more = f": zoo card {entry.name}" if entry.source else ", README.md beside it"
        _once(f"{entry.name} is for non-commercial use only ({restricted}); its card says more{more}")
    if untrained:
        warn_of_untrained(entry, untrained)


@functools.cache
def _once(sentence: str) -> None:
    warn(sentence)


def warn_of_not_finite(path: Path, tensors: list[str]) -> None:
    """Warn of weights that are NaN or infinite: the model's outputs will be as well."""
    more = f" and {len(tensors) - 3} more" if len(tensors) > 3 else ""
    sentence = (
        f"{path} has NaN or infinity in {', '.join(tensors[:3])}{more}. Expected finite weights; the model's outputs "
        "will not be numbers. Take an earlier checkpoint, from before the training diverged."
    )
    warn(sentence)


def warn_of_folder(name: str) -> None:
    """Warn, once, that a name means the registry's model, where a model of one's own is in a folder of that name."""
    _once(f"{name} is the model of the registry. The one in the folder of the same name is written ./{name}")


def warn_of_untrained(entry: Entry, layers: Collection[str]) -> None:
    """Warn of layers with random weights: the new head of a model, or all."""
    names = sorted(layers)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    by = "by zoo.finetune" if entry.task == "object-detection" else "by zoo.finetune or model.fit"
    sentence = (
        f"{entry.name} has layers that nobody has trained: {', '.join(names[:3])}{more}. They begin with random "
        f"weights, and the model's outputs mean nothing until it is trained, {by}."
    )
    warn(sentence)
