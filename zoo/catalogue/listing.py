"""Which models of the registry match."""

import fnmatch
import reprlib
from typing import get_args

from zoo.arguments import LONGEST
from zoo.catalogue.registry import TaskName, registry
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
    if task is not None and task not in get_args(TaskName):
        raise InputError(f"There is no task {reprlib.repr(task)}. Expected one of {', '.join(get_args(TaskName))}.")
    if pretrained is not None and not isinstance(pretrained, bool):
        raise InputError(f"pretrained={reprlib.repr(pretrained)}. Expected True, False, or None for all models.")
    return [
        entry.name
        for entry in registry().entries.values()
        if (fnmatch.fnmatchcase(entry.name, pattern) or fnmatch.fnmatchcase(entry.architecture, pattern))
        and (task is None or entry.task == task)
        and (pretrained is None or entry.pretrained == pretrained)
    ]
