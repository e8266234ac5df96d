"""The command `zoo site`. Imports what it needs when it runs."""

from pathlib import Path

import click


@click.command()
@click.option("-o", "--output-dir", required=True, type=click.Path(path_type=Path), help="The folder of the site.")
def site(output_dir: Path) -> None:
    """Write the catalogue as a web site, one page per model; open index.html, or serve the folder."""
    from zoo.site import write_site

    count = write_site(output_dir)
    click.echo(output_dir / "index.html")
    click.echo(f"{count} models", err=True)


COMMANDS = (site,)
