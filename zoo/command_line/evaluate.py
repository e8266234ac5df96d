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
@click.option(
    "--tta",
    type=click.Choice(["flip", "multi"]),
    help="Average over each image and its mirror image; or at three sizes too.",
)
@click.option("--corruptions", is_flag=True, help="Measure with noise, blur, JPEG, other brightness and contrast too.")
@click.option(
    "-o", "--output-dir", type=click.Path(path_type=Path), help="Folder for images, such as the confusion matrix."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate(handle: str, data: Path, as_json: bool, **options: Any) -> None:
    """Evaluate MODEL on the folder DATA, which contains the targets too."""
    import zoo
    from zoo.catalogue.resolving import resolve

    resolve(handle)  # a wrong name is an error before anything large is imported
    import_keras_quietly()
    with progress_bar("evaluating") as progress:
        record = zoo.evaluate(handle, data, progress=progress, **options)
    if as_json:
        return print_json(record)
    intervals, corruptions = record.pop("intervals", {}), record.pop("corruptions", {})
    by_class = {key: value for key, value in record.items() if isinstance(value, dict)}
    print_table((), [(key, _shown(value, intervals.get(key))) for key, value in record.items() if key not in by_class])
    for key, values in by_class.items():
        print_table(("class", key), [(name, f"{value:g}") for name, value in values.items()])
    if corruptions:
        names = list(next(iter(corruptions.values())))
        rows = [(name, *_changes(found, record)) for name, found in corruptions.items()]
        means = {name: sum(found[name] for found in corruptions.values()) / len(corruptions) for name in names}
        print_table(("corruption", *names), [*rows, ("mean", *_changes(means, record))])


def _changes(found: dict[str, float], record: dict[str, Any]) -> list[str]:
    """Metrics, and how far they are from those of the images as they are."""
    return [f"{value:.4g} ({value - record[name]:+.4g})" for name, value in found.items()]


def _shown(value: Any, interval: list[float] | None) -> str:
    """A metric with its confidence interval."""
    return str(value) if interval is None else f"{value} (95 %: {interval[0]:g} to {interval[1]:g})"


COMMANDS = (evaluate,)
