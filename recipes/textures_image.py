"""Draw the image of the cards of BlurNet and its twin: the score of the right texture as a patch is moved.

    python -m recipes.textures_image [--output MODEL_CARDS]

The package needs its extra `train`.
"""

import matplotlib.figure
import numpy as np

import zoo
from recipes.image_folder import image_folder
from recipes.textures import LABELS, PATCH, planes

NETWORKS = {"blurnet-textures": "tab:red", "maxpool-textures": "tab:gray"}
STEPS = 24  # places of a patch, a pixel apart
WALKS = 20  # of each texture
SHOWN = 3


def walks(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pieces of the test strips along which a patch may move to the right: `(200, 32, 55)`, uint8; and their labels."""
    pieces = []
    for strips in planes("test"):
        for _ in range(WALKS):
            plane = strips[0]
            top, left = (
                generator.integers(plane.shape[0] - PATCH + 1),
                generator.integers(plane.shape[1] - PATCH - STEPS + 2),
            )
            pieces.append(plane[top : top + PATCH, left : left + PATCH + STEPS - 1])
    return np.stack(pieces), np.repeat(np.arange(len(LABELS)), WALKS)


def scores(name: str, pieces: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The score of the right texture at each place: `(n, 32, 55)` -> `(n, 24)`."""
    places = np.lib.stride_tricks.sliding_window_view(pieces, PATCH, axis=2).transpose(0, 2, 1, 3)  # (n, 24, 32, 32)
    patches = np.repeat(places.reshape(-1, PATCH, PATCH, 1), 3, axis=-1)
    logits = zoo.load(name).predict(patches.astype("float32"), batch_size=256, verbose=0)
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    softmax = (exponentials / exponentials.sum(axis=-1, keepdims=True)).reshape(len(pieces), STEPS, -1)
    return np.take_along_axis(softmax, labels[:, None, None], axis=-1)[..., 0]


def restless(curves: dict[str, np.ndarray], labels: np.ndarray) -> list[int]:
    """Of three textures the walk on which the networks' scores, both together, change the most from place to place."""
    unrest = sum(np.abs(np.diff(curve)).sum(axis=1) for curve in curves.values())
    best = [max(np.flatnonzero(labels == label), key=lambda index: unrest[index]) for label in range(len(LABELS))]
    return sorted(best, key=lambda index: -unrest[index])[:SHOWN]


def draw() -> matplotlib.figure.Figure:
    """Above what the patch moves over, below both scores."""
    pieces, labels = walks(np.random.default_rng(0))
    curves = {name: scores(name, pieces, labels) for name in NETWORKS}
    figure = matplotlib.figure.Figure(figsize=(9, 4.2), dpi=100, layout="constrained")
    axes = figure.subplots(2, SHOWN, height_ratios=(1, 1.6))
    for column, index in enumerate(restless(curves, labels)):
        axes[0, column].imshow(pieces[index], cmap="gray", vmin=0, vmax=255)
        axes[0, column].set(title=LABELS[labels[index]], xticks=[], yticks=[])
        for name, colour in NETWORKS.items():
            axes[1, column].plot(curves[name][index], color=colour, marker=".", label=name)
        axes[1, column].set(ylim=(-0.02, 1.02), xlabel="shift, pixels")
    axes[1, 0].set_ylabel("score of the right texture")
    axes[1, 0].legend(loc="best", fontsize="small")
    return figure


def main() -> None:
    """Write the image beside the cards."""
    draw().savefig(image_folder(__doc__) / "blurnet-textures.png")


if __name__ == "__main__":
    main()
