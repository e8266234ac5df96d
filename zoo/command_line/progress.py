"""How far a long command is: one bar for all of them."""

import contextlib
import sys
from collections.abc import Iterator

from zoo.arguments import Progress


@contextlib.contextmanager
def progress_bar(title: str, *, silent: bool = False) -> Iterator[Progress]:
    """A bar with the time left on stderr, where that is a terminal and the command is not `silent`."""
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn(title),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    )
    disable = silent or not sys.stderr.isatty()
    with progress.Progress(*columns, console=Console(stderr=True), disable=disable, transient=True) as bar:

        def update(done: int, total: int) -> None:
            if bar.tasks:
                bar.update(bar.tasks[0].id, completed=done)
            else:  # what an earlier process did says nothing about the speed
                bar.add_task("", total=total, completed=done)

        yield update
