"""The commands about which models there are: `zoo list | info | pin`. They import no TensorFlow."""

import fnmatch
import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from zoo.arguments import did_you_mean
from zoo.catalogue.described import described
from zoo.catalogue.layers_used import layers_used
from zoo.catalogue.listing import list_models, listed
from zoo.catalogue.source import EMBEDDED
from zoo.errors import InputError, UnknownModelError
from zoo.printing import as_text, parameters_text, print_json, print_table

if TYPE_CHECKING:
    from zoo.catalogue.handles import Handle

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command("list")
@click.argument("pattern", default="*")
@click.option("--task", help="Only this task, such as super-resolution.")
@click.option("--tag", default="*", help="Only tags that match, such as '*in12k*'.")
@click.option("--license", "license_", help="Only this licence, such as apache-2.0.")
@click.option("--max-parameters", type=float, metavar="MILLIONS", help="Only models with at most so many parameters.")
@click.option("--pretrained/--random", "pretrained", default=None, help="Only models with weights, or without.")
@as_json
def list_(
    pattern: str,
    task: str | None,
    tag: str,
    license_: str | None,
    max_parameters: float | None,
    pretrained: bool | None,
    as_json: bool,
) -> None:
    """List models whose name matches PATTERN, such as 'resnet50*'."""
    names = list_models(pattern, task=task, pretrained=pretrained)
    _check_choices(pattern, tag, license_, max_parameters)
    every = listed()
    models = [
        facts
        for facts in map(every.__getitem__, names)
        if fnmatch.fnmatchcase(facts["tag"] or "", tag)
        and license_ in (None, facts["license"])
        and (max_parameters is None or (facts.get("parameters_millions") or math.inf) <= max_parameters)
    ]
    if as_json:
        return print_json([_row(facts) for facts in models])
    rows = [("model", "task", "parameters", "size", "metric", "licence")]
    for facts in models:
        metric = next((f"{value:g} {name}" for name, value in facts.get("metrics", {}).items()), "")
        size = f"{side}²" if (side := facts["input"].get("size")) else "any"
        parameters = parameters_text(facts.get("parameters_millions"))
        rows.append((facts["name"], facts["task"], parameters, size, metric, facts["license"]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo(as_text("  ".join(map(str.ljust, row, widths)).rstrip()))
    click.echo(f"{len(models)} models", err=True)


@click.command()
@click.argument("handle")
@click.option("--revision", help="Commit, tag or branch on the Hub.")
@as_json
def info(handle: str, revision: str | None, as_json: bool) -> None:
    """Print everything that is known about a model before it is loaded."""
    from zoo.catalogue import handles

    parsed = handles.parse(handle, revision=revision)
    facts = described(parsed)
    if as_json:
        return print_json(facts)
    print_table((), _shown(facts, parsed).items())


@click.command()
@click.argument("handle", metavar="MODEL")
@click.option("--revision", help="Commit, tag or branch on the Hub.")
def pin(handle: str, revision: str | None) -> None:
    """Print the line that pins MODEL to its commit and SHA-256 in the registry; downloads it if necessary."""
    from zoo.catalogue import resolving

    located = resolving.resolve(handle, revision=revision)
    entry = located.entry
    if located.handle.path is not None or not entry.is_on_hub:
        raise InputError(f"{entry.name} does not come from the Hub. Expected a model with a source hf://owner/repo.")
    file = entry.where.fetch(entry.filename, revision=entry.revision, sha256=entry.sha256)
    click.echo(as_text(f'{entry.tag or "main"}: {{revision: "{file.revision}", sha256: "{file.sha256}"}}'))


def _check_choices(pattern: str, tag: str, license_: str | None, max_parameters: float | None) -> None:
    """Refuse filters that no model can match.

    Raises:
        UnknownModelError: No name matches the pattern.
        InputError: An option has a value that no model has.
    """
    models = listed()
    names = list(dict.fromkeys([facts["architecture"] for facts in models.values()] + list(models)))
    if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
        raise UnknownModelError(
            f"No model matches {pattern!r}. Expected a name, or a pattern such as 'resnet50*'. "
            f"{did_you_mean(pattern, names) or '`zoo list` shows them all.'}"
        )
    tags = sorted({facts["tag"] or "" for facts in models.values()})
    if not any(fnmatch.fnmatchcase(each, tag) for each in tags):
        raise InputError(
            f"--tag {tag!r} matches no tag. Expected what follows a name's dot, or a pattern such as '*in12k*'. "
            f"{did_you_mean(tag, tags)}"
        )
    licenses = sorted({facts["license"] for facts in models.values()})
    if license_ is not None and license_ not in licenses:
        raise InputError(
            f"--license {license_!r} is not the licence of any model. Expected one of {', '.join(licenses)}."
        )
    if max_parameters is not None and not max_parameters > 0:
        raise InputError(f"--max-parameters {max_parameters:g}. Expected millions, more than 0.")


def _row(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of a model in a list, for a script."""
    return {
        "name": facts["name"],
        "task": facts["task"],
        "parameters_millions": facts.get("parameters_millions"),
        "license": facts["license"],
        "source": facts["source"],
        "metrics": facts.get("metrics", {}),
        "size": facts["input"].get("size"),
        "pretrained": facts["source"] is not None,
    }


def _shown(facts: dict[str, Any], handle: "Handle") -> dict[str, str]:
    from zoo.catalogue.input_facts import input_facts

    labels, measured, base = facts["labels"], facts["measured"], facts["base"]
    names = labels if isinstance(labels, str) else f"{len(labels)} own" if labels else "no names"
    shown = {
        "name": facts["name"],
        "task": facts["task"],
        "parameters": parameters_text(facts["parameters_millions"]),
        "licence": facts["license"],
        "input": input_facts(facts),
        "classes": f"{facts['num_classes']} ({names})" if facts["num_classes"] else None,
        "untrained": {"none": None, "head": "the head", "all": "all weights"}[facts["random"]],
        "metrics": ", ".join(f"{name} {value:g}" for name, value in facts["metrics"].items()),
        "measured on": f"{measured['dataset']} (source: {measured['source']})" if measured else None,
        "began as": f"{base['name']} ({base['license']})" if base else None,
        **dict(_whereabouts(facts, handle)),
        "builder": f"{facts['builder']} {json.dumps(facts['config'])}",
        "paper": facts["paper"],
        "layers": ", ".join(layers_used(facts["architecture"])),
    }
    return {name: value for name, value in shown.items() if value}


def _whereabouts(facts: dict[str, Any], handle: "Handle") -> Iterable[tuple[str, str | None]]:
    """Where the weights are, and which they are."""
    source, file = facts["source"], f"{facts['filename']} ({facts['format']})"
    if handle.path is not None:
        is_there = handle.kind == "keras" or (handle.path / facts["filename"]).is_file()
        yield "source", f"{handle.path}" if is_there else f"{handle.path}, in which {facts['filename']} is missing"
        if handle.kind == "keras":
            yield "began as", source
            return
        yield "file", file
        yield "sha256", facts["sha256"]
    elif source is None:
        yield "source", "no pretrained weights"
    else:
        recorded = "in this package" if source == EMBEDDED else "recorded at the first download"
        yield "source", source
        yield "file", file
        yield "revision", facts["revision"] or recorded
        yield "sha256", facts["sha256"] or recorded


COMMANDS = (list_, info, pin)
