"""The command `zoo choose`. Imports what it needs when it runs."""

from pathlib import Path

import click

from zoo.command_line.progress import progress_bar
from zoo.command_line.quiet import import_keras_quietly
from zoo.printing import as_text, print_json, print_table


@click.command()
@click.argument("models", metavar="[MODEL]...", nargs=-1)
@click.option("--task", default="image-classification", show_default=True, help="Of the models that lie here.")
@click.option("--data", type=click.Path(path_type=Path), help="Photographs in a folder per class, to probe them on.")
@click.option("--max-ms", type=float, metavar="MS", help="Only models that take at most so long for one input.")
@click.option("--max-mb", type=float, metavar="MB", help="Only models whose weights are no larger.")
@click.option("--license", help="commercial for what allows commercial use, or one such as apache-2.0.")
@click.option(
    "--runtime",
    default="keras",
    show_default=True,
    help="auto, keras, onnx, litert, tensorflow or openvino, these two with -bfloat16 too.",
)
@click.option("--download", is_flag=True, help="Models of the registry that do not lie here, too.  [--max-mb]")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw accuracy against time: NAME.png or NAME.svg.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the models that others beat.")
def choose(
    models: tuple[str, ...],
    task: str,
    data: Path | None,
    max_ms: float | None,
    max_mb: float | None,
    license: str | None,
    runtime: str,
    download: bool,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Measure models on this machine, and print those that no other beats in accuracy, time and size.

    Without MODEL, those of the registry that lie on this machine. The best are printed, most accurate first.
    """
    import_keras_quietly()
    import zoo

    with progress_bar("measuring", silent=as_json) as progress:
        choices = zoo.choose(
            models,
            task=task,
            data=data,
            max_milliseconds=max_ms,
            max_megabytes=max_mb,
            license=license,
            runtime=runtime,
            download=download,
            plot=plot,
            progress=progress,
            say=lambda sentence: click.echo(as_text(sentence), err=True),
        )
    if as_json:
        return print_json([choice.as_dict() for choice in choices])
    best = [choice for choice in choices if choice.is_best]
    rows = []
    for one in best:
        accuracy = "unknown" if one.accuracy is None else f"{one.accuracy:g} {one.metric}"
        rows.append((one.model, accuracy, f"{one.milliseconds:.1f}", f"{one.megabytes:.1f}", one.license))
    print_table(("model", "accuracy", "ms", "MB", "licence"), rows)
    others = "; the others are beaten by one of these" if len(best) < len(choices) else ""
    click.echo(f"{len(best)} of {len(choices)} models{others}", err=True)


COMMANDS = (choose,)
