"""The images of the pages about layers, each drawn from what the layer itself returns.

    python -m tools.docs_images          writes docs/layers/*.png

It needs the extra `layerzoo[train]`, for Matplotlib.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image

mpl.use("agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zoo import layers

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "zoo" / "demo" / "samples"
INK = "#263238"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "layers")
    output = parser.parse_args().output
    for name, draw in DRAWINGS.items():
        figure = draw()
        figure.savefig(output / f"{name}.png", dpi=96, metadata={"Software": None})
        plt.close(figure)
        print(output / f"{name}.png")


def photograph(side: int = 128) -> np.ndarray:
    """A photograph in grey, `(1, side, side, 1)`, from 0 to 1."""
    image = Image.open(SAMPLES / "pagoda.jpg").convert("L")
    square = min(image.size)
    image = image.crop((0, 0, square, square)).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image, "float32")[None, ..., None] / 255


def row(*panels: tuple[str, np.ndarray], **options: object) -> Figure:
    """Images beside each other, each under its title."""
    figure, axes = plt.subplots(1, len(panels), figsize=(2.4 * len(panels), 2.7), layout="constrained")
    for place, (title, image) in zip(axes, panels, strict=True):
        show(place, title, image, **options)
    return figure


def show(place: Axes, title: str, image: np.ndarray, **options: object) -> None:
    values = np.squeeze(np.asarray(image))
    place.imshow(values, **{"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "nearest", **options})
    place.set_title(title, fontsize=10, color=INK)
    place.set_axis_off()


def averaging(layer_class: type, size: int = 5) -> Callable:
    """A layer of one filter that takes the mean of its window."""
    layer = layer_class(1, size, padding="same", use_bias=False)
    layer.build([(None, None, None, 1), (None, None, None, 1)])
    layer.set_weights([np.full((size, size, 1, 1), 1 / size**2, "float32")])
    return layer


def sparse_conv() -> Figure:
    image = photograph()
    mask = (np.random.default_rng(0).random(image.shape) < 0.05).astype("float32")
    features, valid = averaging(layers.SparseConv2D)([image * mask, mask])
    plain = averaging(layers.SparseConv2D)([image * mask, np.ones_like(mask)])[0]
    return row(
        ("5 % of the pixels", image * mask),
        ("convolution: dark", plain),
        ("SparseConv2D, same filter", features),
        ("its mask", valid),
    )


def partial_conv() -> Figure:
    image = photograph()
    mask = np.ones_like(image)
    mask[:, 40:70, 30:100] = 0
    panels = [("a hole", image * mask)]
    features, valid = image * mask, mask
    for depth in range(1, 9):
        mixed, valid_after = averaging(layers.PartialConv2D)([features, valid])
        features = np.where(np.asarray(valid) > 0, features, np.asarray(mixed))
        valid = valid_after
        if depth in (1, 4, 8):
            panels.append((f"{depth} layer{'s' * (depth > 1)}", features))
    return row(*panels)


def diffusion_fill() -> Figure:
    image = photograph()
    mask = (np.random.default_rng(0).random(image.shape) < 0.05).astype("float32")
    mask[:, 40:70, 30:100] = 0
    filled = [layers.DiffusionFill2D(levels=levels)([image, mask]) for levels in (2, 4, 12)]
    return row(
        ("5 %, and a hole", image * mask), ("2 levels", filled[0]), ("4 levels", filled[1]), ("12 levels", filled[2])
    )


def blur() -> Figure:
    y, x = np.mgrid[-1:1:256j, -1:1:256j]
    rings = (0.5 + 0.5 * np.cos(55 * (x**2 + y**2))).astype("float32")[None, ..., None]
    return row(
        ("rings, 256 x 256", rings),
        ("every 4th pixel", rings[:, ::4, ::4]),
        ("Blur2D(7, strides=2), twice", layers.Blur2D(7, strides=2)(layers.Blur2D(7, strides=2)(rings))),
    )


def coordinates() -> Figure:
    channels = np.asarray(layers.AddCoords2D(with_r=True)(np.zeros((1, 64, 64, 1), "float32")))[0]
    names = ("the image", "y", "x", "r")
    return row(*((name, channels[..., index]) for index, name in enumerate(names)), cmap="viridis", vmin=-1, vmax=1.42)


def argmax_pooling() -> Figure:
    values = np.random.default_rng(3).permutation(16).reshape(1, 4, 4, 1).astype("float32")
    pooled, places = layers.MaxPoolingWithArgmax2D(2)(values)
    back = layers.MaxUnpooling2D(2)([pooled, places])
    figure, axes = plt.subplots(1, 4, figsize=(9.6, 2.7), layout="constrained")
    panels = (("input", values), ("maxima", pooled), ("their places", places), ("unpooled", back))
    for place, (title, array) in zip(axes, panels, strict=True):
        numbers = np.asarray(array)[0, ..., 0]
        show(place, title, numbers, cmap="Blues", vmax=20)
        for (line, column), number in np.ndenumerate(numbers):
            place.text(column, line, f"{number:.0f}", ha="center", va="center", color=INK, fontsize=12)
    return figure


def pixel_shuffle() -> Figure:
    image = photograph(64)
    channels = np.concatenate([image[:, i::2, j::2] for i in range(2) for j in range(2)], axis=-1)
    shuffled = layers.PixelShuffle2D(2)(channels)
    quarters = [(f"channel {index}", channels[..., index]) for index in range(4)]
    return row(*quarters, ("PixelShuffle2D(2)", shuffled))


DRAWINGS: dict[str, Callable[[], Figure]] = {
    "argmax_pooling": argmax_pooling,
    "blur": blur,
    "coordinates": coordinates,
    "diffusion_fill": diffusion_fill,
    "partial_conv": partial_conv,
    "pixel_shuffle": pixel_shuffle,
    "sparse_conv": sparse_conv,
}

if __name__ == "__main__":
    main()
