"""Which models of the registry match."""

import fnmatch
import functools
import reprlib
from typing import Any

from zoo.arguments import LONGEST
from zoo.catalogue.kept import read_kept
from zoo.catalogue.merging import merge
from zoo.catalogue.task_names import TASK_NAMES
from zoo.errors import InputError


def list_models(pattern: str = "*", *, task: str | None = None, pretrained: bool | None = None) -> list[str]:
    """Names of the models that match, in the order of the registry.

    Args:
        pattern: Shell pattern for the name or the architecture, such as `"resnet50*"`.
        task: One of the tasks, such as `"super-resolution"`.
        pretrained: True for models with weights, False for those without.

    Raises:
        InputError: There is no such task, or an argument is not what it has to be.

    Example:
        >>> import zoo
        >>> zoo.list_models("espcn-x2*", task="super-resolution")
        ['espcn-x2.photos']
    """
    if not isinstance(pattern, str) or not 0 < len(pattern) <= LONGEST or not pattern.isprintable():
        raise InputError(f"pattern={reprlib.repr(pattern)}. Expected a name, or a shell pattern such as 'resnet50*'.")
    if task is not None and task not in TASK_NAMES:
        raise InputError(f"There is no task {reprlib.repr(task)}. Expected one of {', '.join(TASK_NAMES)}.")
    if pretrained is not None and not isinstance(pretrained, bool):
        raise InputError(f"pretrained={reprlib.repr(pretrained)}. Expected True, False, or None for all models.")
    return [
        name
        for name, facts in listed().items()
        if (fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(facts["architecture"], pattern))
        and (task is None or facts["task"] == task)
        and (pretrained is None or (facts["source"] is not None) == pretrained)
    ]


def listed() -> dict[str, dict[str, Any]]:
    """The facts that the registry states of each model, by name, as JSON has them.

    They were checked when the registry was read; nothing is checked again, so a list of all costs little.
    """
    return _found()["entries"]


@functools.cache
def _found() -> dict[str, Any]:
    """`Registry.facts`."""
    if (facts := read_kept()) is None:
        from zoo.catalogue.registry import registry  # imports pydantic, which takes longer than a whole list

        facts = registry().facts
    return facts


def is_name(name: str) -> bool:
    """Whether the registry has a model, or an architecture, of this name."""
    return name in _names()


def stated(name: str) -> dict[str, Any] | None:
    """All facts of the registry's model of this name, the unstated ones too, as JSON has them; None for no such model.

    They are those of its `Entry`, without pydantic, which takes longer to import than all else that is to be done.
    """
    facts = listed().get(_names().get(name, ""))
    return None if facts is None else merge(_found()["defaults"], facts)


@functools.cache
def _names() -> dict[str, str]:
    """The name of each model by the names that mean it: its own, and of an architecture that of its first."""
    first: dict[str, str] = {}
    for name, facts in listed().items():
        first.setdefault(facts["architecture"], name)
    return {name: name for name in listed()} | first
