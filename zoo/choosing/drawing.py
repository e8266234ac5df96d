"""Accuracy against time as an image: those that no other beats in accuracy, time and size are named."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import InputError, MissingExtraError
from zoo.whole import made_folder, whole_file

if TYPE_CHECKING:
    from zoo.choosing import Choice


def check_plot(path: Path) -> None:
    """Check that a plot can be drawn into the file, before anything is measured.

    Raises:
        InputError: It is called as no image is.
        MissingExtraError: matplotlib is not installed.
    """
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise InputError(f"The plot is called {path}. Expected NAME.png, NAME.svg or NAME.pdf.")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("A plot needs matplotlib. Expected: pip install 'layerzoo[train]'.") from error


def draw(choices: Sequence["Choice"], path: Path) -> None:
    """Draw those whose accuracy is known; the area of a point is the size of the weights.

    Raises:
        AccessError: The file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    known = [(one.milliseconds, one.accuracy, one) for one in choices if one.accuracy is not None]
    for is_best, color in ((False, "0.7"), (True, "tab:blue")):
        points = sorted((x, y, one.megabytes) for x, y, one in known if one.is_best == is_best)
        xs, ys = [x for x, _, _ in points], [y for _, y, _ in points]
        axes.scatter(xs, ys, s=[10 + 4 * size for _, _, size in points], color=color, alpha=0.7)
    for x, y, one in known:
        if one.is_best:
            axes.annotate(one.model, (x, y), xytext=(4, 4), textcoords="offset points", fontsize=8)
    axes.set_xscale("log")
    axes.margins(x=0.2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("{x:g}")
    axes.set_xlabel("milliseconds for one input, on this machine")
    axes.set_ylabel(", ".join(dict.fromkeys(one.metric for _, _, one in known)).replace("_", " "))
    with made_folder(path.parent), whole_file(path) as place:
        figure.savefig(place, dpi=150)
