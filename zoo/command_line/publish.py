"""The command `zoo publish`."""

import click

from zoo.command_line.quiet import import_keras_quietly
from zoo.printing import as_text, print_json


@click.command()
@click.argument("handle", metavar="MODEL")
@click.argument("repo_id", metavar="OWNER/NAME")
@click.option("--license", "license_", default="", help="Required: an identifier of the Hub, such as apache-2.0.")
@click.option("--version", default="auto", show_default=True, help="v1, v2, ...; by default the next.")
@click.option("--private", is_flag=True, help="Make the repository private.")
@click.option("--saved-model", is_flag=True, help="Add saved_model/, for servers and TF Hub.")
@click.option("--timm", is_flag=True, help="Publish as timm loads it, in place of Keras' own files.")
@click.option("--base-model", default="auto", show_default=True, help="OWNER/NAME that the card names as the origin.")
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME=VALUE", help="A metric for the card; may be repeated."
)
@click.option("--allow-poor", is_flag=True, help="Publish a run that is no better than guessing, too.")
@click.option("--create-pr", is_flag=True, help="Open a pull request, without a version.")
@click.option("--space", metavar="OWNER/NAME", help="Publish a demo in this Space too; created if it does not exist.")
@click.option("-m", "--message", help="The title of the commit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def publish(
    handle: str,
    repo_id: str,
    license_: str,
    version: str,
    private: bool,
    saved_model: bool,
    timm: bool,
    base_model: str,
    metrics: tuple[str, ...],
    allow_poor: bool,
    create_pr: bool,
    space: str | None,
    message: str | None,
    as_json: bool,
) -> None:
    """Publish MODEL (a run, a folder or any name) on the Hub as the next version, and print its page."""
    numbers = dict(map(_metric, metrics))
    import_keras_quietly()
    import zoo

    published = zoo.publish(
        handle,
        repo_id,
        license=license_,
        version=version,
        private=private,
        saved_model=saved_model,
        timm=timm,
        base_model=base_model,
        metrics=numbers or None,
        allow_poor=allow_poor,
        create_pr=create_pr,
        space=space,
        commit_message=message,
    )
    if as_json:
        return print_json(published._asdict())
    click.echo(as_text(published.url))
    if published.space:
        click.echo(as_text(published.space))


def _metric(text: str) -> tuple[str, float]:
    from zoo.errors import InputError

    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise InputError(f"--metric {text!r}. Expected a name and a number, such as top1_percent=91.2.") from error


COMMANDS = (publish,)
