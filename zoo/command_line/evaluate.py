"""The command that measures: `zoo evaluate`. Imports what it needs when it runs."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from zoo.command_line.quiet import import_keras_quietly
from zoo.printing import print_json, print_table


@click.command()
@click.argument("handle", metavar="MODEL")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--split", default="test", show_default=True, help="Which part of the data: train, val or test.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate(handle: str, data: Path, split: str, as_json: bool) -> None:
    """Measure MODEL on the folder DATA, which holds the truth too."""
    import zoo
    from zoo.catalogue import handles

    handles.resolve(handle)  # a wrong name is answered before anything large is imported
    import_keras_quietly()
    record = zoo.evaluate(handle, data, split=split, track=_progress)
    if as_json:
        return print_json(record)
    by_class = {key: value for key, value in record.items() if isinstance(value, dict)}
    print_table((), [(key, str(value)) for key, value in record.items() if key not in by_class])
    for key, values in by_class.items():
        print_table(("class", key), [(name, f"{value:g}") for name, value in values.items()])


def _progress(things: Sequence[Any]) -> Iterable[Any]:
    """A bar with the time left, on stderr where a person looks at it."""
    from rich.console import Console
    from rich.progress import track

    return track(things, "measuring", console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)


COMMANDS = (evaluate,)
