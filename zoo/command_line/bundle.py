"""The command `zoo bundle`."""

from pathlib import Path

import click

from zoo.command_line.quiet import import_keras_quietly
from zoo.errors import InputError
from zoo.printing import as_text


@click.command()
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write, such as zoo.tar.")
@click.option("--check", is_flag=True, help="Compare every byte of bundles (files, folders, addresses).")
def bundle(models: tuple[str, ...], output: Path | None, check: bool) -> None:
    """Write each MODEL with card, licence and hash into one file, for machines without a network; print its SHA-256."""
    if check == (output is not None):
        raise InputError("Expected either -o FILE, to write a bundle, or --check, to compare those that are named.")
    if check:
        from zoo.bundles.reading import Bundle

        for where in models:
            found = Bundle(where)
            found.check()
            click.echo(as_text(f"{where}: {len(found.digests)} files are whole, of {', '.join(found.names)}"))
        return
    import_keras_quietly()
    import zoo
    from zoo.export.record import digest

    path = zoo.bundle(models, output or "")
    click.echo(as_text(f"{digest(path)}  {path}"))


COMMANDS = (bundle,)
