"""The command line: `zoo list | info | predict | finetune | evaluate | …`; answers on stdout, the rest on stderr."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

import zoo
from zoo.catalogue import handles
from zoo.catalogue.registry import registry
from zoo.command_line import demo, export, finetune, models, predict, publish, site
from zoo.command_line.quiet import import_keras_quietly
from zoo.errors import InputError, ZooError
from zoo.hub import cache as hub_cache
from zoo.printing import print_json, print_table

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
    *demo.COMMANDS,
    *export.COMMANDS,
    *finetune.COMMANDS,
    *models.COMMANDS,
    *predict.COMMANDS,
    *publish.COMMANDS,
    *site.COMMANDS,
):
    main.add_command(command)


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


def _repo_id(name: str) -> str:
    if "/" in name:
        return handles.parse(name if name.startswith("hf://") else f"hf://{name}").name
    entry = registry().find(name)
    if not (entry.source or "").startswith("hf://"):
        raise InputError(f"{entry.name} is not downloaded: its weights are {entry.source}. There is nothing to remove.")
    return handles.repo_id(entry)


def _progress(things: Sequence[Any]) -> Iterable[Any]:
    """A bar with the time left, on stderr where a person looks at it."""
    from rich.console import Console
    from rich.progress import track

    return track(things, "measuring", console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"
