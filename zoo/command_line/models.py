"""The commands about which models there are: `zoo list | info | pin`. They import no TensorFlow."""

import fnmatch
import hashlib
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from zoo.arguments import did_you_mean
from zoo.catalogue.described import described
from zoo.catalogue.layers_used import layers_used
from zoo.catalogue.listing import list_models, listed
from zoo.catalogue.multiply_adds import multiply_adds_millions
from zoo.catalogue.registries import place_of
from zoo.catalogue.source import EMBEDDED
from zoo.errors import InputError, UnknownModelError
from zoo.printing import as_text, multiply_adds_text, parameters_text, print_json, print_table

if TYPE_CHECKING:
    from zoo.catalogue.handles import Handle

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command("list")
@click.argument("pattern", default="*")
@click.option("--task", help="Only this task, such as super-resolution.")
@click.option("--tag", default="*", help="Only tags that match, such as '*in12k*'.")
@click.option("--license", help="Only this licence, such as apache-2.0.")
@click.option("--max-parameters", type=float, metavar="MILLIONS", help="Only models with at most so many parameters.")
@click.option("--max-multiply-adds", type=float, metavar="MILLIONS", help="Only models with at most so many.")
@click.option("--max-size", type=float, metavar="PIXELS", help="Only models evaluated at no larger side, or at any.")
@click.option("--layer", help="Only models that have this layer, such as Blur2D.")
@click.option("--metric", help="Only models that state it, or reach it, such as 'top1_percent>=80'.")
@click.option("--pretrained/--random", "pretrained", default=None, help="Only models with weights, or without.")
@click.option("--sort", help="name, parameters, multiply_adds, size or a metric; -size for the largest first.")
@as_json
def list_(pattern: str, as_json: bool, **choices: Any) -> None:
    """List models whose name matches PATTERN, such as 'resnet50*'."""
    names, every = list_models(pattern, **choices), listed()
    _check_pattern(pattern)
    models = [every[name] for name in names]
    if as_json:
        return print_json([_row(facts) for facts in models])
    rows = [("model", "task", "parameters", "multiply-adds", "size", "metric", "licence")]
    for facts in models:
        size = f"{side}²" if (side := facts["input"].get("size")) else "any"
        parameters = parameters_text(facts.get("parameters_millions"))
        multiply_adds = multiply_adds_text(multiply_adds_millions(facts["name"]))
        metric = _metric(facts.get("metrics", {}), choices["metric"], choices["sort"])
        rows.append((facts["name"], facts["task"], parameters, multiply_adds, size, metric, facts["license"]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo(as_text("  ".join(map(str.ljust, row, widths)).rstrip()))
    click.echo(f"{len(models)} models", err=True)


def _metric(metrics: dict[str, float], *asked: str | None) -> str:
    """The metric that was asked for, else the first that is stated."""
    words = {re.split("[<>=]", text.removeprefix("-"))[0].strip() for text in asked if text}
    name = next((name for name in metrics if name in words), next(iter(metrics), None))
    return "" if name is None else f"{metrics[name]:g} {name}"


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
    if located.handle.path is not None or not entry.pretrained:
        raise InputError(
            f"{entry.name} is not a checkpoint of a registry. Expected a model with a source, embedded or hf://owner/repo."
        )
    if entry.is_embedded:
        path = place_of(entry.name).checkpoints / entry.filename
        if not path.is_file():
            raise InputError(f"There is no file {path}. Expected the weights of {entry.name} there.")
        return click.echo(as_text(f'{entry.tag}: {{sha256: "{hashlib.sha256(path.read_bytes()).hexdigest()}"}}'))
    file = entry.where.fetch(entry.filename, revision=entry.revision, sha256=entry.sha256)
    click.echo(as_text(f'{entry.tag or "main"}: {{revision: "{file.revision}", sha256: "{file.sha256}"}}'))


def _check_pattern(pattern: str) -> None:
    """Refuse a pattern that matches no name.

    Raises:
        UnknownModelError: There is no match.
    """
    models = listed()
    names = list(dict.fromkeys([facts["architecture"] for facts in models.values()] + list(models)))
    if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
        raise UnknownModelError(
            f"No model matches {pattern!r}. Expected a name, or a pattern such as 'resnet50*'. "
            f"{did_you_mean(pattern, names) or '`zoo list` shows them all.'}"
        )


def _row(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of a model in a list, for a script."""
    return {
        "name": facts["name"],
        "task": facts["task"],
        "parameters_millions": facts.get("parameters_millions"),
        "multiply_adds_millions": multiply_adds_millions(facts["name"]),
        "license": facts["license"],
        "source": facts["source"],
        "metrics": facts.get("metrics", {}),
        "size": facts["input"].get("size"),
        "pretrained": facts["source"] is not None,
    }


def _shown(facts: dict[str, Any], handle: "Handle") -> dict[str, str]:
    from zoo.catalogue.input_facts import input_facts

    labels, measured, base, adapter = (facts[key] for key in ("labels", "measured", "base", "adapter"))
    names = labels if isinstance(labels, str) else f"{len(labels)} own" if labels else "no names"
    shown = {
        "name": facts["name"],
        "task": facts["task"],
        "parameters": parameters_text(facts["parameters_millions"]),
        "multiply-adds": multiply_adds_text(
            multiply_adds_millions(facts["name"]) if handle.kind == "registry" else None
        ),
        "licence": facts["license"],
        "input": input_facts(facts),
        "classes": f"{facts['num_classes']} ({names})" if facts["num_classes"] else None,
        "untrained": {"none": None, "head": "the head", "all": "all weights"}[facts["random"]],
        "metrics": ", ".join(f"{name} {value:g}" for name, value in facts["metrics"].items()),
        "measured on": f"{measured['dataset']} (source: {measured['source']})" if measured else None,
        "began as": f"{base['name']} ({base['license']})" if base else None,
        "adapter": f"of rank {adapter['rank']}, over {adapter['base']}" if adapter else None,
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
    elif handle.kind == "bundle":
        yield "source", f"{handle.name}, of {source or 'a folder'}"
        yield "file", file
        yield "revision", facts["revision"]
        yield "sha256", facts["sha256"]
    elif source is None:
        yield "source", "no pretrained weights"
    else:
        package = place_of(facts["name"]).distribution
        recorded = f"in the package {package}" if source == EMBEDDED else "recorded at the first download"
        yield "source", source
        yield "file", file
        yield "revision", facts["revision"] or recorded
        yield "sha256", facts["sha256"] or recorded


COMMANDS = (list_, info, pin)
