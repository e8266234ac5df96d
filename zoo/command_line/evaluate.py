"""The command `zoo evaluate`. Imports what it needs when it runs."""

from pathlib import Path
from typing import Any

import click

from zoo.command_line.progress import progress_bar
from zoo.command_line.quiet import import_keras_quietly
from zoo.printing import print_json, print_table


@click.command()
@click.argument("handle", metavar="MODEL")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--split", default="test", show_default=True, help="Which part of the data: train, val or test.")
@click.option("--tta", type=click.Choice(["flip"]), help="Average over each image and its mirror image.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate(handle: str, data: Path, split: str, tta: str | None, as_json: bool) -> None:
    """Evaluate MODEL on the folder DATA, which contains the targets too."""
    import zoo
    from zoo.catalogue.resolving import resolve

    resolve(handle)  # a wrong name is an error before anything large is imported
    import_keras_quietly()
    with progress_bar("evaluating") as progress:
        record = zoo.evaluate(handle, data, split=split, tta=tta, progress=progress)
    if as_json:
        return print_json(record)
    intervals = record.pop("intervals", {})
    by_class = {key: value for key, value in record.items() if isinstance(value, dict)}
    print_table((), [(key, _shown(value, intervals.get(key))) for key, value in record.items() if key not in by_class])
    for key, values in by_class.items():
        print_table(("class", key), [(name, f"{value:g}") for name, value in values.items()])


def _shown(value: Any, interval: list[float] | None) -> str:
    """A metric with its confidence interval."""
    return str(value) if interval is None else f"{value} (95 %: {interval[0]:g} to {interval[1]:g})"


COMMANDS = (evaluate,)
