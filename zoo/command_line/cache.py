"""The commands for what was downloaded: `zoo cache list | remove`. Each imports what it needs when it runs."""

import click

from zoo.printing import print_json, print_table


@click.group()
def cache() -> None:
    """List or remove downloaded models, and what else lies beside them."""


@cache.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def cache_list(as_json: bool) -> None:
    """List downloaded repositories, zoo-bundles (files from bundles) and zoo-runtimes (converted models)."""
    from zoo.hub import cache as hub_cache

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
    click.echo(f"{len(found)} repositories and folders, {_megabytes(sum(item.size_bytes for item in found))}", err=True)


@cache.command("remove")
@click.argument("names", metavar="MODEL_OR_REPOSITORY...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Delete all of them.")
def cache_remove(names: tuple[str, ...], everything: bool) -> None:
    """Delete downloads: names as in `zoo list`, owner/name, zoo-bundles or zoo-runtimes."""
    from zoo.errors import InputError
    from zoo.hub import cache as hub_cache

    if everything == bool(names):
        raise InputError("Expected names or --all. `zoo cache list` shows what is there.")
    repo_ids = [item.repo_id for item in hub_cache.cached()] if everything else [_repo_id(name) for name in names]
    freed = sum(hub_cache.remove(repo_id) for repo_id in repo_ids)
    click.echo(f"removed {len(repo_ids)} repositories and folders, {_megabytes(freed)}", err=True)


def _repo_id(name: str) -> str:
    from zoo.catalogue import handles
    from zoo.catalogue.registry import registry
    from zoo.catalogue.source import Source
    from zoo.errors import InputError
    from zoo.hub.cache import BUNDLES, RUNTIMES

    if name in (BUNDLES, RUNTIMES):
        return name
    if "/" in name:
        return Source(handles.parse(name if "://" in name else Source.of(name)).name).repo_id
    entry = registry().find(name)
    if not entry.is_on_hub:
        raise InputError(f"{entry.name} is not downloaded: its weights are {entry.source}. There is nothing to remove.")
    return entry.repo_id


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"


COMMANDS = (cache,)
