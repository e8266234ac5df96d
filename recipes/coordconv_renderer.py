"""Supervised rendering: to draw the square of 9 x 9 pixels around (x, y). Liu et al., 2018, section 4.3."""

import functools

import keras
import numpy as np

from recipes.coordconv_classifier import CANDIDATES, painter_of_candidates, plain, seen_by_the_painter
from recipes.coordconv_training import Network, Pair, from_coordinates
from recipes.not_so_clevr import CANVAS, RADIUS, squares
from zoo.architectures import coordconv

NEAR_PIXELS = RADIUS + 3  # half of the pixels that a step looks at lie in or around the square

METRIC = "intersection over union of the square and the pixels with a logit above 0, mean and lowest over the squares"
PAPER_TEST: dict[tuple[str, str], dict[str, float]] = {}  # no number of the paper's is known for this


def inside_and_around(places: np.ndarray, generator: np.random.Generator) -> Pair:
    """Squares in any order: pixels near them and from anywhere, as the painter sees them, and which are drawn."""
    places = generator.permutation(places)
    near = generator.integers(-NEAR_PIXELS, NEAR_PIXELS + 1, size=(len(places), CANDIDATES // 2, 2))
    near = np.clip(places[:, None] + near, 0, CANVAS - 1)
    pixels = np.concatenate([near, generator.integers(CANVAS, size=near.shape)], axis=1)
    is_drawn = (np.abs(pixels - places[:, None]) <= RADIUS).all(axis=-1)
    return seen_by_the_painter(places, pixels), is_drawn.astype("float32")


def whole_canvas(places: np.ndarray, generator: np.random.Generator) -> Pair:
    """Centres in any order, and the canvases with their squares."""
    shuffled = generator.permutation(places)
    return shuffled.astype("float32"), squares(shuffled)


def score(model: keras.Model, places: np.ndarray) -> dict[str, float]:
    """Intersection over union of what is drawn and the square, in 0 to 1: the mean over all places, and the lowest."""
    drawn = model.predict(places.astype("float32"), batch_size=64, verbose=0) > 0
    wanted = squares(places) > 0
    iou = (drawn & wanted).sum(axis=(1, 2)) / (drawn | wanted).sum(axis=(1, 2))
    return {"iou": round(float(iou.mean()), 4), "lowest_iou": round(float(iou.min()), 4)}


cross_entropy = functools.partial(keras.losses.BinaryCrossentropy, from_logits=True)

NETWORKS = {
    "coordconv-renderer": Network(
        whole=lambda: from_coordinates(coordconv.classifier),
        learning=painter_of_candidates,
        draw=inside_and_around,
        loss=cross_entropy,
        rounds=30,
        weight_decay=0.5,  # with 0.1 the unseen quadrant had a mean of 0.97
        jit_compile=False,
    ),
    "deconv-renderer": Network(
        whole=lambda: from_coordinates(plain),
        learning=lambda: from_coordinates(plain),
        draw=whole_canvas,
        loss=cross_entropy,
        rounds=30,
        jit_compile=False,
    ),
}
