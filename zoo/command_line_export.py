"""The commands that take a model out of the zoo: `zoo card`. Each imports what it needs when it runs."""

import click


@click.command()
@click.argument("handle", metavar="MODEL")
def card(handle: str) -> None:
    """Print the model card of MODEL, as the Hub takes it."""
    from zoo.export import model_card

    click.echo(str(model_card(handle)).rstrip())


COMMANDS = (card,)
