"""The command `zoo predict`, for a few images or any number of them. Imports what it needs when it runs."""

import difflib
import glob
import re
import sys
from pathlib import Path
from typing import Any

import click

from zoo.catalogue.resolving import resolve
from zoo.command_line.progress import progress_bar
from zoo.command_line.quiet import import_keras_quietly
from zoo.errors import InputError
from zoo.printing import as_text, print_json
from zoo.tasks import find_task
from zoo.tasks.task import Prediction


def _check_options(ctx: click.Context, parameter: click.Parameter, inputs: tuple[Path, ...]) -> tuple[Path, ...]:
    """Refuse unknown options: `-1,2` is a coordinate, which click alone would take for one."""
    for text in map(str, inputs):
        if re.match(r"-[^\d.]", text):
            raise click.NoSuchOption(text, possibilities=difflib.get_close_matches(text, _options(ctx)), ctx=ctx)
    return inputs


def _options(ctx: click.Context) -> list[str]:
    return [name for option in ctx.command.params for name in option.opts if name.startswith("--")]


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("handle", metavar="MODEL")
@click.argument(
    "inputs",
    metavar="IMAGE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    callback=_check_options,
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File of the output image, or a folder for several; NAME.parquet for a table of any number.",
)
@click.option("--top", default=5, show_default=True, type=click.IntRange(1), help="Number of classes, best first.")
@click.option(
    "--tta",
    type=click.Choice(["flip", "multi"]),
    help="Average over mirrored images, turned ones where enlarging; or at three sizes too.",
)
@click.option("--column", help="For Parquet files: the column of image bytes.  [-o NAME.parquet]")
@click.option("--batch-size", type=click.IntRange(1), help="Images per forward pass, by default 8.  [-o NAME.parquet]")
@click.option(
    "--runtime",
    help="auto, keras, onnx, litert, tensorflow or openvino, these two with -bfloat16 too.  [-o NAME.parquet]",
)
@click.option("--engine", type=click.Choice(["local", "ray"]), help="This process, or Ray.  [-o NAME.parquet]")
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    help="Number of workers; by default one per GPU or machine.  [--engine ray]",
)
@click.option("--address", help="Address of the cluster: auto, HOST:6379, ray://HOST:10001.  [--engine ray]")
@click.option("--gpus", type=click.FloatRange(0), help="GPUs per worker; 0.5 for two workers per GPU.  [--engine ray]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def predict(
    handle: str, inputs: tuple[Path, ...], output: Path | None, top: int, tta: str | None, as_json: bool, **options: Any
) -> None:
    """Run MODEL on images, or on what else it takes, such as points X,Y: named classes, or an image for -o.

    MODEL is a handle, or the folder of an export, which its own runtime runs.

    With -o NAME.parquet on any number of them: folders, patterns such as 'photos/*.jpg', or Parquet files. One row per
    image, with its prediction or the reason why there is none. If it is killed, the same command resumes.

    Of several images, unreadable ones are named on stderr, and the exit code is 1. - is stdin.
    """
    options = {name: value for name, value in options.items() if value is not None}
    resolve(handle)  # a wrong name is an error before anything large is imported
    if output is not None and output.suffix == ".parquet":
        if tta is not None:
            raise InputError("--tta is for a few images. Expected no --tta with -o NAME.parquet.")
        return _predict_many(handle, inputs, output, {"top": top, **options}, as_json)
    if options:
        raise InputError(f"{', '.join(options)} is for many images. Expected -o NAME.parquet with it.")
    _check(inputs)
    targets = _targets(inputs, output)
    import_keras_quietly()
    import zoo
    from zoo.loading import answering

    model, records = answering(handle), []
    for path, target in zip(inputs, targets, strict=True):
        try:
            source = sys.stdin.buffer if str(path) == "-" else path
            record = zoo.predict(model, source, top=top, tta=tta)[0]
        except InputError as error:
            if len(inputs) == 1:
                raise
            record = Prediction(input=str(path), error=str(error))
        else:
            if target is not None:
                _write_image(record, target)
        records.append(record)
    if as_json:
        print_json(records)
    else:
        for record in records:
            _print(record)
    if any("error" in record for record in records):
        raise click.exceptions.Exit(1)


def _check(inputs: tuple[Path, ...]) -> None:
    """What is for many images.

    Raises:
        InputError: One of the inputs is a folder or a pattern.
    """
    for path in inputs:
        what = "a folder" if path.is_dir() else "a pattern" if glob.has_magic(str(path)) and not path.exists() else None
        if what:
            some = f", such as {path / '*.jpg'}" if path.is_dir() else ""
            raise InputError(
                f"{path} is {what}. Expected images{some}; or -o NAME.parquet with it: then each file in it becomes a "
                "row."
            )


def _print(record: dict[str, Any]) -> None:
    """A record on stdout, or on stderr why there is none."""
    is_error = "error" in record
    click.echo(as_text(record["input"]), err=is_error)
    for line in [record["error"]] if is_error else find_task(record["task"]).described(record):
        click.echo(as_text(f"  {line}"), err=is_error)


def _predict_many(handle: str, sources: tuple[Path, ...], output: Path, options: dict[str, Any], as_json: bool) -> None:
    """A bar with the time left on stderr where a person looks at it; then the result."""
    import_keras_quietly()
    import zoo

    with progress_bar("predicting", silent=as_json) as progress:
        record = zoo.predict_files(handle, sources, output, progress=progress, **options)
    if as_json:
        return print_json(record)
    click.echo(as_text(output))
    if "runtime" in options:
        found = record.get("agreement")
        same = (
            f"; its best class is that of Keras on {found['same_class_percent']:g} % of {found['images']}"
            if found
            else ""
        )
        click.echo(f"  computed by {record['runtime']}{same}")
    click.echo(f"  {record['count']:,} rows, {record['errors']:,} of them without a prediction: see the column `error`")


def _targets(inputs: tuple[Path, ...], output: Path | None) -> list[Path | None]:
    if output is None:
        return [None for _ in inputs]
    if len(inputs) == 1 and not output.is_dir():
        return [output]
    targets: list[Path | None] = [output / f"{path.stem}.png" for path in inputs]
    if twice := sorted(f"{target}" for target in targets if targets.count(target) > 1):
        raise InputError(f"Two images would be written as {twice[0]}. Expected names of their own, or two commands.")
    output.mkdir(parents=True, exist_ok=True)
    return targets


def _write_image(record: Any, target: Path) -> None:
    if record.image is None:
        raise InputError(f"{record['model']} ({record['task']}) has no output image. Leave out -o.")
    try:
        record.image.save(target)
    except (OSError, ValueError) as error:
        raise InputError(f"{target} cannot be written ({error}). Expected a name such as out.png.") from error
    record["output"], record.image = str(target), None  # of many large ones each is kept on disk only


COMMANDS = (predict,)
