"""The command that shows models in a browser: `zoo demo`. Imports what it needs when it runs."""

import click

from zoo.command_line.quiet import import_keras_quietly


@click.command()
@click.argument("handle", metavar="[MODEL]", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", default=7860, show_default=True, type=click.IntRange(1, 65535))
@click.option("--lend-token", is_flag=True, help="Let visitors load what your Hugging Face token may read.  [--host]")
def demo(handle: str | None, host: str, port: int, lend_token: bool) -> None:
    """Show MODEL in a browser, or every model to pick one: images in, predictions out. Ctrl+C stops it."""
    from zoo.catalogue.resolving import resolve

    if handle is not None:
        resolve(handle)  # a wrong name is an error before anything large is imported
    import_keras_quietly()
    from zoo.demo import serve

    serve(handle, host=host, port=port, lend_token=lend_token)


COMMANDS = (demo,)
