"""Not-so-Clevr, generated exactly: a square of 9 x 9 pixels at each of the 56 x 56 places on a canvas of 64 x 64.

Liu et al., 2018, https://arxiv.org/abs/1807.03247.
"""

from typing import Literal, get_args

import numpy as np

CANVAS = 64  # pixels per side
RADIUS = 4  # of the square, around its centre
SEED = 0
Split = Literal["quadrant", "uniform"]
SPLITS: tuple[Split, ...] = get_args(Split)


def centres() -> np.ndarray:
    """All places where the square lies on the canvas: (x, y) in pixels, `(3136, 2)`."""
    sides = np.arange(RADIUS, CANVAS - RADIUS)
    return np.stack(np.meshgrid(sides, sides), axis=-1).reshape(-1, 2)


def split_centres(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Centres to train on and to test on: `(n, 2)` each.

    `uniform` sets a fifth aside at random, 628 of 3136; `quadrant` the lower right quarter of the canvas, 784.
    """
    places = centres()
    if split == "quadrant":
        is_test = (places >= CANVAS // 2).all(axis=1)
    else:
        chosen = np.random.default_rng(SEED).permutation(len(places))[: round(len(places) / 5)]
        is_test = np.isin(np.arange(len(places)), chosen)
    return places[~is_test], places[is_test]


def pixel_indices(places: np.ndarray) -> np.ndarray:
    """(x, y), `(n, 2)`, to the index of the pixel in a flattened canvas, `(n,)`."""
    return places[:, 1] * CANVAS + places[:, 0]


def squares(places: np.ndarray) -> np.ndarray:
    """The canvas with its square, 1 on 0: `(n, 2)` -> `(n, 64, 64)`, float32."""
    near = np.abs(np.arange(CANVAS) - places[:, :, None]) <= RADIUS  # (n, 2, 64), by column and by row
    return (near[:, 1, :, None] & near[:, 0, None, :]).astype("float32")
