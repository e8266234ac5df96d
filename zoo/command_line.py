"""The command line: `zoo list | info | predict | finetune | evaluate | …`; answers on stdout, the rest on stderr."""

import fnmatch
import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

import zoo
from zoo import (
    command_line_demo,
    command_line_export,
    command_line_finetune,
    command_line_predict,
    command_line_publish,
    command_line_site,
    handles,
    hub,
    hub_cache,
)
from zoo.errors import InputError, ZooError
from zoo.layers_used import layers_used
from zoo.printing import as_text, print_json, print_table
from zoo.quiet import import_keras_quietly
from zoo.registry import Entry, registry
from zoo.tasks import find_task

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Commands(click.Group):
    """Turns the library's own errors into one sentence and exit code 1; any other error keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ZooError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(zoo.__version__, prog_name="layerzoo")
def main() -> None:
    """Pretrained convolutional networks for Keras in one call."""


for command in (
    *command_line_demo.COMMANDS,
    *command_line_export.COMMANDS,
    *command_line_finetune.COMMANDS,
    *command_line_predict.COMMANDS,
    *command_line_publish.COMMANDS,
    *command_line_site.COMMANDS,
):
    main.add_command(command)


@main.command("list")
@click.argument("pattern", default="*")
@click.option("--task", help="Only this task, such as super-resolution.")
@click.option("--tag", default="*", help="Only tags that match, such as '*in12k*'.")
@click.option("--license", "license_", help="Only this licence, such as apache-2.0.")
@click.option("--max-parameters", type=float, metavar="MILLIONS", help="Only models of at most so many parameters.")
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
    """Models whose name matches PATTERN, such as 'resnet50*'."""
    entries = [
        entry
        for entry in map(registry().find, zoo.list_models(pattern, task=task, pretrained=pretrained))
        if fnmatch.fnmatchcase(entry.tag or "", tag)
        and license_ in (None, entry.license)
        and (max_parameters is None or (entry.parameters_millions or math.inf) <= max_parameters)
    ]
    if as_json:
        return print_json([_row(entry) for entry in entries])
    rows = [("model", "task", "parameters", "size", "metric", "licence")]
    for entry in entries:
        metric = next((f"{value:g} {name}" for name, value in entry.metrics.items()), "")
        parameters = f"{entry.parameters_millions:g} M" if entry.parameters_millions else ""
        size = "any" if entry.input.size is None else f"{entry.input.size}²"
        rows.append((entry.name, entry.task, parameters, size, metric, entry.license))
    # Not a rich table: with hundreds of rows that would take longer than all the rest.
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo(as_text("  ".join(map(str.ljust, row, widths)).rstrip()))
    click.echo(f"{len(entries)} models", err=True)


@main.command()
@click.argument("handle")
@click.option("--revision", help="Commit, tag or branch on the Hub.")
@as_json
def info(handle: str, revision: str | None, as_json: bool) -> None:
    """Everything that is known about a model before it is loaded."""
    entry = zoo.info(handle, revision=revision)
    if as_json:
        return print_json(entry.model_dump(mode="json"))
    print_table((), _facts(entry).items())


@main.command()
@click.argument("handle", metavar="MODEL")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--split", default="test", show_default=True, help="Which part of the data: train, val or test.")
@as_json
def evaluate(handle: str, data: Path, split: str, as_json: bool) -> None:
    """Measure MODEL on the folder DATA, which holds the truth too."""
    handles.resolve(handle)
    import_keras_quietly()
    record = zoo.evaluate(handle, data, split=split, track=_progress)
    if as_json:
        return print_json(record)
    by_class = {key: value for key, value in record.items() if isinstance(value, dict)}
    print_table((), [(key, str(value)) for key, value in record.items() if key not in by_class])
    for key, values in by_class.items():
        print_table(("class", key), [(name, f"{value:g}") for name, value in values.items()])


@main.group()
def cache() -> None:
    """Downloaded models on this disk."""


@cache.command("list")
@as_json
def cache_list(as_json: bool) -> None:
    """What has been downloaded, and how much room it takes."""
    found = hub_cache.cached()
    rows = [
        {
            "repo_id": item.repo_id,
            "size_bytes": item.size_bytes,
            "last_used": item.last_used.isoformat(timespec="seconds"),
            "revisions": list(item.revisions),
            "path": str(item.path),
        }
        for item in found
    ]
    if as_json:
        return print_json(rows)
    lines = [
        (
            item.repo_id,
            _megabytes(item.size_bytes),
            f"{item.last_used:%Y-%m-%d}",
            " ".join(r[:12] for r in item.revisions),
        )
        for item in found
    ]
    print_table(("repository", "size", "last used", "revisions"), lines)
    click.echo(f"{len(found)} repositories, {_megabytes(sum(item.size_bytes for item in found))}", err=True)


@cache.command("remove")
@click.argument("names", metavar="MODEL_OR_REPOSITORY...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them.")
def cache_remove(names: tuple[str, ...], everything: bool) -> None:
    """Delete downloads: names as in `zoo list`, or owner/name."""
    if everything == bool(names):
        raise InputError("Expected names or --all. `zoo cache list` shows what is there.")
    repo_ids = [item.repo_id for item in hub_cache.cached()] if everything else [_repo_id(name) for name in names]
    freed = sum(hub_cache.remove(repo_id) for repo_id in repo_ids)
    click.echo(f"removed {len(repo_ids)} repositories, {_megabytes(freed)}", err=True)


@main.command()
@click.argument("handle", metavar="MODEL")
@click.option("--revision", help="Commit, tag or branch on the Hub.")
def pin(handle: str, revision: str | None) -> None:
    """Print the line that pins MODEL to its commit and SHA-256 in the registry; downloads it if need be."""
    entry = handles.resolve(handle, revision=revision).entry
    if not (entry.source or "").startswith("hf://"):
        raise InputError(f"{entry.name} does not come from the Hub. Expected a model with a source hf://owner/repo.")
    file = hub.fetch(handles.repo_id(entry), entry.filename, revision=entry.revision, sha256=entry.sha256)
    click.echo(f'{entry.tag or "main"}: {{revision: "{file.revision}", sha256: "{file.sha256}"}}')


def _repo_id(name: str) -> str:
    if "/" in name:
        return name.removeprefix("hf://")
    entry = registry().find(name)
    if not (entry.source or "").startswith("hf://"):
        raise InputError(f"{entry.name} is not downloaded: its weights are {entry.source}. There is nothing to remove.")
    return handles.repo_id(entry)


def _row(entry: Entry) -> dict[str, Any]:
    """What a script wants to know of a model in a list."""
    keys = {"name", "task", "parameters_millions", "license", "source", "metrics"}
    return entry.model_dump(mode="json", include=keys) | {"size": entry.input.size, "pretrained": entry.pretrained}


def _facts(entry: Entry) -> dict[str, str]:
    labels = entry.labels if isinstance(entry.labels, str) else f"{len(entry.labels)} own" if entry.labels else None
    facts = {
        "name": entry.name,
        "task": entry.task,
        "parameters": f"{entry.parameters_millions:g} million" if entry.parameters_millions else None,
        "licence": entry.license,
        "input": find_task(entry.task).input_facts(entry),
        "classes": f"{entry.num_classes} ({labels})" if entry.num_classes else None,
        "metrics": ", ".join(f"{name} {value:g}" for name, value in entry.metrics.items()),
        "measured on": f"{entry.measured.dataset} (source: {entry.measured.source})" if entry.measured else None,
        "source": entry.source or ("this folder" if entry.sha256 else "no pretrained weights"),
        "began as": f"{entry.base.name} ({entry.base.license})" if entry.base else None,
        "file": f"{entry.filename} ({entry.format})",
        "revision": entry.revision
        or ("in this package" if entry.source == "embedded" else "recorded at the first download"),
        "sha256": entry.sha256 or "recorded at the first download",
        "builder": f"{entry.builder} {json.dumps(entry.config)}",
        "paper": entry.paper,
    }
    facts["layers"] = ", ".join(layers_used(entry.architecture))
    return {name: value for name, value in facts.items() if value}


def _progress(things: Sequence[Any]) -> Iterable[Any]:
    """A bar with the time left, on stderr where a person looks at it."""
    from rich.console import Console
    from rich.progress import track

    return track(things, "measuring", console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"
