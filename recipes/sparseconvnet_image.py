"""Draw the image of the cards: the motorcycle from few and from many points, and errors against how many are given.

    python -m recipes.sparseconvnet_image [--output MODEL_CARDS]

The package needs its extra `train`. The curves are those of the reports beside the checkpoints.
"""

import json
from importlib import resources

import matplotlib.figure
import matplotlib.ticker
import numpy as np

import zoo
from recipes import depth_completion
from recipes import sparseconvnet_scores as scoring
from recipes.image_folder import image_folder

SHOWN_PERCENT = (5, 70)
SHOWN = (
    "depth-convnet.one-density",
    "sparseconvnet.one-density",
    "sparseconvnet.random-density",
    depth_completion.MODEL,
)
RECORDS = ("sparseconvnet-random-density", depth_completion.NAME)
STYLES = {
    "nearest neighbour": ("tab:gray", ":"),
    "depth-convnet.one-density": ("tab:orange", "--"),
    "depth-convnet.random-density": ("tab:orange", "-"),
    "sparseconvnet.one-density": ("tab:blue", "--"),
    "sparseconvnet.random-density": ("tab:blue", "-"),
    depth_completion.MODEL: ("tab:green", "-"),
}
CURVES = {
    "motorcycle_curve": ("motorcycle: MAE, pixels of disparity", "pixels given, %"),
    "kitti_curve": ("KITTI, test: MAE, m", "points of the laser given, %"),
}


def draw_maps(figure: matplotlib.figure.SubFigure) -> None:
    """One row per share: the input points, the output of each network, and the target."""
    target = scoring.motorcycle()
    colours = {"cmap": "turbo", "vmin": 0, "vmax": 60}
    models = {name: zoo.load(name) for name in SHOWN}
    grid = figure.subplots(len(SHOWN_PERCENT), 2 + len(SHOWN))
    for row, percent in zip(grid, SHOWN_PERCENT, strict=True):
        points = scoring.keep(target, percent)
        rows, columns = np.nonzero(points)
        row[0].scatter(columns, rows, s=0.3, c=points[rows, columns], linewidths=0, **colours)
        row[0].set(xlim=(0, target.shape[1]), ylim=(target.shape[0], 0), aspect="equal", title=f"{percent} % given")
        for axes, (name, model) in zip(row[1:], models.items(), strict=False):
            answer = scoring.answers(model)
            if name == depth_completion.MODEL:
                answer = scoring.inverted(answer)
            axes.imshow(answer(points), **colours)
            axes.set_title(name)
        image = row[-1].imshow(np.where(target > 0, target, np.nan), **colours)
        row[-1].set_title("target")
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.title.set_fontsize(9)
    figure.colorbar(image, ax=grid, label="disparity, pixels", fraction=0.02, pad=0.01)


def draw_curves(figure: matplotlib.figure.SubFigure) -> None:
    """Errors against the share given, for each network and for nearest-neighbour filling."""
    folder = resources.files("zoo") / "checkpoints"
    reports = [json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in RECORDS]
    for axes, (key, (title, label)) in zip(figure.subplots(1, len(CURVES)), CURVES.items(), strict=True):
        errors = reports[0][key] | reports[1][key]
        for method, (colour, line) in STYLES.items():
            values = {int(name.split("_")[0]): value for name, value in errors[method].items() if "percent" in name}
            axes.plot(list(values), list(values.values()), color=colour, linestyle=line, marker=".", label=method)
        axes.set(title=title, xlabel=label, yscale="log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
        axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
        axes.grid(which="both", alpha=0.2)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(STYLES), fontsize=9)


def draw() -> matplotlib.figure.Figure:
    """The maps above, the curves below."""
    figure = matplotlib.figure.Figure(figsize=(15, 8), dpi=100, layout="constrained")
    maps, curves = figure.subfigures(2, 1, height_ratios=(1.05, 1))
    draw_maps(maps)
    draw_curves(curves)
    return figure


def main() -> None:
    draw().savefig(image_folder(__doc__) / "sparseconvnet.png")


if __name__ == "__main__":
    main()
