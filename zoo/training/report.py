"""Plots of a run: its history and its confusion matrix. Drawn where matplotlib is installed."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def can_draw() -> bool:
    """Whether matplotlib is installed: `layerzoo[train]`."""
    return importlib.util.find_spec("matplotlib") is not None


def draw_history(history: Mapping[str, Sequence[float]], best_epoch: int, path: Path) -> None:
    """One panel per metric, epochs from 1; validation beside training."""
    if not can_draw():
        return
    from matplotlib.figure import Figure

    names = [*dict.fromkeys(name.removeprefix("val_") for name in history if name != "learning_rate")]
    figure = Figure(figsize=(5 * len(names), 3.5), layout="constrained")
    for axes, name in zip(np.atleast_1d(figure.subplots(1, len(names))), names, strict=True):
        for key, label in ((name, "training"), (f"val_{name}", "validation")):
            if key in history:
                axes.plot(range(1, len(history[key]) + 1), history[key], marker=".", label=label)
        axes.axvline(best_epoch + 1, color="0.7", linestyle="--", label="kept")
        axes.set(xlabel="epoch", title=name)
        axes.legend()
    figure.savefig(path)


def draw_confusion(confusion: np.ndarray, labels: Sequence[str], path: Path) -> None:
    """The confusion matrix, rows normalised by the number of labels; with counts where they fit."""
    if not can_draw():
        return
    from matplotlib.figure import Figure

    count = len(labels)
    side = min(20.0, 2.5 + 0.5 * count)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    shares = confusion / np.maximum(1, confusion.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set(xlabel="prediction", ylabel="label")
    if count <= 40:
        axes.set_xticks(range(count), labels, rotation=90)
        axes.set_yticks(range(count), labels)
        for row, column in np.argwhere(confusion > 0):
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(confusion[row, column]), ha="center", va="center", color=color)
    figure.savefig(path)


def draw_regression(outputs: np.ndarray, targets: np.ndarray, names: Sequence[str], path: Path) -> None:
    """Outputs over targets, `(n, quantities)` each: one panel per quantity, of the first nine."""
    if not can_draw():
        return
    from matplotlib.figure import Figure

    count = min(9, len(names))
    figure = Figure(figsize=(4 * count, 4), layout="constrained")
    for place, axes in enumerate(np.atleast_1d(figure.subplots(1, count))):
        axes.plot(targets[:, place], outputs[:, place], ".")
        axes.axline((float(targets[:, place].mean()),) * 2, slope=1, color="0.7", linestyle="--")
        axes.set(xlabel="target", ylabel="prediction", title=names[place])
    figure.savefig(path)


def write_row(images: Sequence[np.ndarray], path: Path) -> None:
    """Images of one height, 0 to 255, `(height, width, 3)`, side by side in a PNG."""
    pixels = np.concatenate([np.clip(np.round(image), 0, 255).astype(np.uint8) for image in images], axis=1)
    Image.fromarray(pixels).save(path)
