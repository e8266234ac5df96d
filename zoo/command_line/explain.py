"""The command `zoo explain`. Imports what it needs when it runs."""

from pathlib import Path

import click

from zoo.catalogue.resolving import resolve
from zoo.command_line.quiet import import_keras_quietly
from zoo.errors import InputError
from zoo.printing import as_text, print_json


@click.command()
@click.argument("handle", metavar="MODEL")
@click.argument("image", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="File of the image, such as cam.png."
)
@click.option("--label", help="The class, label or quantity, by name or number; by default the best one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(handle: str, image: Path, output: Path, label: str | None, as_json: bool) -> None:
    """Show what MODEL looks at in IMAGE: bright where most speaks for its prediction.

    Class activation maps for classifiers, with gradients where the head needs them; the confidence of a segmentation.
    """
    resolve(handle)  # a wrong name is an error before anything large is imported
    import_keras_quietly()
    import zoo

    record = zoo.explain(handle, image, label=label)
    try:
        record.image.save(output)
    except (OSError, ValueError) as error:
        raise InputError(f"{output} cannot be written ({error}). Expected a name such as cam.png.") from error
    record["output"] = str(output)
    if as_json:
        return print_json(record)
    what = "" if "index" not in record else f"{record['score']:.6g}  {record['label'] or record['index']}, "
    click.echo(as_text(record["input"]))
    click.echo(as_text(f"  {what}{record['method']} -> {output}"))


COMMANDS = (explain,)
