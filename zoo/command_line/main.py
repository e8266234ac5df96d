"""The command line: `zoo list | info | predict | finetune | evaluate | …`; data on stdout, everything else on
stderr."""

import importlib
import os
import re
from typing import Any

import click

import zoo
from zoo.errors import ZooError

# The file in which each command is; it is imported when the command is asked for, so that none waits for another.
FILES = {
    "bundle": "bundle",
    "cache": "cache",
    "card": "export",
    "choose": "choose",
    "demo": "demo",
    "evaluate": "evaluate",
    "explain": "explain",
    "export": "export",
    "finetune": "finetune",
    "info": "models",
    "list": "models",
    "pin": "models",
    "predict": "predict",
    "publish": "publish",
    "site": "site",
    "verify": "export",
}
_EMPTY_OPTION = re.compile(r"--[a-z-]+=")


class Commands(click.Group):
    """Turns the library's own errors into one sentence and exit code 1; any other error keeps its traceback."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """An empty argument, which a path would take for this folder, is a variable of the shell that is not set."""
        if any(not arg or _EMPTY_OPTION.fullmatch(arg) for arg in args):
            raise click.UsageError(
                "An argument is empty. Expected a name, a path or a value; is a variable of the shell not set?", ctx
            )
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ZooError as error:
            raise click.ClickException(str(error)) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(FILES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in FILES:
            return None
        module = importlib.import_module(f"zoo.command_line.{FILES[cmd_name]}")
        return next(command for command in module.COMMANDS if command.name == cmd_name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(zoo.__version__, prog_name="layerzoo")
def main() -> None:
    """A model zoo of pretrained convolutional networks for Keras 3.

    \b
    zoo predict tf_efficientnet_lite0 cat.jpg    classify a photograph, offline
    zoo list 'resnet*'                           list models
    """
    # Else pydantic reads what every installed distribution says of itself, in search of plugins: a third of `zoo info`.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
