"""The commands `zoo export | card | verify`. Each imports what it needs when it runs."""

import difflib
from pathlib import Path
from typing import Any

import click

from zoo.command_line.quiet import import_keras_quietly
from zoo.printing import as_text, print_json

FORMATS = ("saved_model", "litert", "onnx", "openvino", "timm")


@click.command()
@click.argument("handle", metavar="MODEL")
@click.option(
    "-o",
    "--output-dir",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder for exported models; of timm the new folder itself.",
)
@click.option("--format", "name", default="saved_model", show_default=True, help=f"One of {', '.join(FORMATS)}.")
@click.option("--version", help="A number from 1; by default the next.")
@click.option("--opset", help="onnx: the operator set, such as 17; by default the converter's choice.")
@click.option("--explain", is_flag=True, help="saved_model, onnx, litert: give what the model looks at too.")
@click.option("--inference-only", is_flag=True, help="saved_model: fold batch normalisation; no fine-tuning.")
@click.option("--dtype", help="saved_model: bfloat16 to compute in it.")
@click.option("--weight-dtype", help="litert, onnx: store weights as float16 or int8; openvino: float16.")
@click.option("--int8", is_flag=True, help="litert, onnx, openvino: compute in 8 bits.  [--calibrate, --validate]")
@click.option("--calibrate", type=click.Path(path_type=Path), help="A folder of images such as the model will see.")
@click.option("--validate", type=click.Path(path_type=Path), help="Photographs in a folder per class, to evaluate on.")
@click.option("--max-drop", type=float, help="Points that --int8 may lose there, by default 1.  [--int8]")
@click.option("--allow-random", is_flag=True, help="Export random weights too.")
def export(
    handle: str,
    output_dir: Path,
    name: str,
    version: str | None,
    opset: str | None,
    explain: bool,
    inference_only: bool,
    dtype: str | None,
    weight_dtype: str | None,
    int8: bool,
    calibrate: Path | None,
    validate: Path | None,
    max_drop: float | None,
    allow_random: bool,
) -> None:
    """Write MODEL for a server or another runtime, compare it, and print the folder of the new version."""
    from zoo.errors import InputError
    from zoo.export.versions import check_version

    _check_format(name)
    if name == "timm" and version is not None:
        raise InputError("timm's folders have no versions. Leave out --version.")
    if name != "saved_model" and (inference_only or dtype):
        raise InputError(f"--inference-only and --dtype belong to saved_model. Leave them out for {name}.")
    if name != "onnx" and opset is not None:
        raise InputError(f"--opset belongs to onnx. Leave it out for {name}.")
    if explain and name in ("openvino", "timm"):
        raise InputError(f"--explain belongs to saved_model, onnx and litert. Leave it out for {name}.")
    number = _number("--version", version)
    check_version(number)
    options: dict[str, Any] = {"inference_only": inference_only, "dtype": dtype} if name == "saved_model" else {}
    if name == "onnx":
        options["opset"] = _number("--opset", opset)
    if weight_dtype is not None and (int8 or name not in ("litert", "onnx", "openvino")):
        raise InputError(
            f"--weight-dtype belongs to litert, onnx and openvino without --int8. Leave it out for {name}."
        )
    if weight_dtype is not None:
        options["weight_dtype"] = weight_dtype
    if explain:
        options["explain"] = True
    if int8 != (calibrate is not None) or int8 != (validate is not None):
        raise InputError("--int8, --calibrate FOLDER and --validate FOLDER go together. Expected all or none of them.")
    if max_drop is not None and not int8:
        raise InputError("--max-drop belongs to --int8. Leave it out, or add --int8.")
    if int8:
        if name not in ("litert", "onnx", "openvino") or explain or opset is not None:
            raise InputError("--int8 is for --format litert, onnx and openvino, without --explain and --opset.")
        options = {"format": name, "calibrate": calibrate, "validate": validate}
        if max_drop is not None:
            options["max_drop"] = max_drop
    import_keras_quietly()
    import zoo.export

    if name == "timm":
        return click.echo(as_text(zoo.export.timm(handle, output_dir, allow_random=allow_random)))
    write = getattr(zoo.export, "int8" if int8 else name)
    click.echo(as_text(write(handle, output_dir, version=number, allow_random=allow_random, **options)))


def _check_format(name: str) -> None:
    from zoo.errors import InputError

    if name not in FORMATS:
        near = difflib.get_close_matches(name.lower(), FORMATS, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InputError(f"There is no format {name!r}. Expected one of {', '.join(FORMATS)}.{hint}")


def _number(option: str, text: str | None) -> int | None:
    from zoo.errors import InputError

    try:
        return None if text is None else int(text)
    except ValueError:
        raise InputError(f"{option} is {text!r}. Expected a whole number; leave it out for the default.") from None


@click.command()
@click.argument("handle", metavar="MODEL")
def card(handle: str) -> None:
    """Print the model card of MODEL, as the Hub takes it."""
    from zoo.export import model_card

    click.echo("\n".join(map(as_text, str(model_card(handle)).rstrip().split("\n"))))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the whole record.")
def verify(folder: Path, as_json: bool) -> None:
    """Check the export in FOLDER: no file changed, and its outputs here are those of when it was exported."""
    import_keras_quietly()
    import zoo.export

    record = zoo.export.verify(folder)
    if as_json:
        print_json(record)
    else:
        difference = record["verified"]["relative_difference"]
        said = f"{record['model']} as {record['format']}: outputs differ by {difference:.1e} of the largest"
        click.echo(as_text(said))


COMMANDS = (export, card, verify)
