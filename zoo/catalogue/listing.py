"""Which models of the registry match, and in which order."""

import fnmatch
import functools
import math
import reprlib
from typing import Any

from zoo.arguments import LONGEST
from zoo.catalogue.choices import at_most, check_choice, check_limit, metric_bound, ordered
from zoo.catalogue.layers_used import layers_used
from zoo.catalogue.merging import merge
from zoo.catalogue.multiply_adds import multiply_adds_millions
from zoo.catalogue.registries import known_facts
from zoo.catalogue.task_names import TASK_NAMES
from zoo.errors import InputError


def list_models(
    pattern: str = "*",
    *,
    task: str | None = None,
    tag: str = "*",
    license: str | None = None,
    pretrained: bool | None = None,
    max_parameters: float | None = None,
    max_multiply_adds: float | None = None,
    max_size: float | None = None,
    layer: str | None = None,
    metric: str | None = None,
    sort: str | None = None,
) -> list[str]:
    """Names of the models that match, in the order of the registry or of `sort`.

    Args:
        pattern: Shell pattern for the name or the architecture, such as `"resnet50*"`.
        task: One of the tasks, such as `"super-resolution"`.
        tag: Shell pattern for what follows the name's dot, such as `"*in12k*"`.
        license: As the registry writes it, such as `"apache-2.0"`.
        pretrained: True for models with weights, False for those without.
        max_parameters: Most parameters, in millions. A model that does not state them does not match.
        max_multiply_adds: Most multiply-adds per input of the size that the model was evaluated at, in millions. A
            model for any size has no such number and does not match.
        max_size: Largest side, in pixels, of the images that the model was evaluated at. One for any size matches.
        layer: Class of a layer that the model has, such as `"Blur2D"`.
        metric: A metric that the model states, such as `"top1_percent"`, or a bound for it: `"top1_percent>=80"`,
            `"rmse<=2"`.
        sort: `"name"`, `"parameters"`, `"multiply_adds"`, `"size"` or a metric, lowest first; with a minus before it,
            `"-top1_percent"`, highest first. Models that do not state it come last.

    Raises:
        InputError: An argument is not what it has to be, or no model has that task, tag, license, layer or metric.

    Example:
        >>> import zoo
        >>> zoo.list_models("espcn-x*", sort="-parameters")
        ['espcn-x4.photos', 'espcn-x3.photos', 'espcn-x2.photos']
    """
    if not isinstance(pattern, str) or not 0 < len(pattern) <= LONGEST or not pattern.isprintable():
        raise InputError(f"pattern={reprlib.repr(pattern)}. Expected a name, or a shell pattern such as 'resnet50*'.")
    if task is not None and task not in TASK_NAMES:
        raise InputError(f"There is no task {reprlib.repr(task)}. Expected one of {', '.join(TASK_NAMES)}.")
    if pretrained is not None and not isinstance(pretrained, bool):
        raise InputError(f"pretrained={reprlib.repr(pretrained)}. Expected True, False, or None for all models.")
    for name, limit, unit in (
        ("max_parameters", max_parameters, "millions"),
        ("max_multiply_adds", max_multiply_adds, "millions"),
        ("max_size", max_size, "pixels"),
    ):
        check_limit(name, limit, unit)
    models = list(listed().values())
    metrics = {name for facts in models for name in facts.get("metrics", {})}
    check_choice("tag", tag, (facts["tag"] or "" for facts in models), pattern=True)
    check_choice("license", license, (facts["license"] for facts in models))
    check_choice("layer", layer, (name for facts in models for name in layers_used(facts["architecture"])))
    stated_metric, lowest, highest = metric_bound(metric, metrics)
    found = [
        facts
        for facts in models
        if (fnmatch.fnmatchcase(facts["name"], pattern) or fnmatch.fnmatchcase(facts["architecture"], pattern))
        and task in (None, facts["task"])
        and fnmatch.fnmatchcase(facts["tag"] or "", tag)
        and license in (None, facts["license"])
        and pretrained in (None, facts["source"] is not None)
        and at_most(facts.get("parameters_millions"), max_parameters)
        and at_most(None if max_multiply_adds is None else multiply_adds_millions(facts["name"]), max_multiply_adds)
        and at_most(facts["input"].get("size", 0), max_size)
        and (layer is None or layer in layers_used(facts["architecture"]))
        and (stated_metric is None or lowest <= facts.get("metrics", {}).get(stated_metric, math.nan) <= highest)
    ]
    return [facts["name"] for facts in (found if sort is None else ordered(found, sort, metrics))]


def listed() -> dict[str, dict[str, Any]]:
    """The facts that the registry states of each model, by name, as JSON has them.

    They were checked when the registry was read; nothing is checked again, so a list of all costs little.
    """
    return known_facts()["entries"]


def is_name(name: str) -> bool:
    """Whether the registry has a model, or an architecture, of this name."""
    return name in _names()


def stated(name: str) -> dict[str, Any] | None:
    """All facts of the registry's model of this name, the unstated ones too, as JSON has them; None for no such model.

    They are those of its `Entry`, without pydantic, which takes longer to import than all else that is to be done.
    """
    facts = listed().get(_names().get(name, ""))
    return None if facts is None else merge(known_facts()["defaults"], facts)


@functools.cache
def _names() -> dict[str, str]:
    """The name of each model by the names that mean it: its own, and of an architecture that of its first."""
    first: dict[str, str] = {}
    for name, facts in listed().items():
        first.setdefault(facts["architecture"], name)
    return {name: name for name in listed()} | first
