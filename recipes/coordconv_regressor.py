"""Supervised coordinate regression: to tell (x, y) of a square's centre. Liu et al., 2018, section 4.2."""

from collections.abc import Callable

import keras
import numpy as np

from recipes.coordconv_training import Network, Pair
from recipes.not_so_clevr import CANVAS, squares
from zoo.architectures import coordconv

METRIC = "distance in pixels between the centre of the square and the prediction, mean and largest over the squares"
PAPER_TEST: dict[tuple[str, str], dict[str, float]] = {}  # the paper's canvas contains one white pixel instead


def from_canvas(builder: Callable) -> keras.Model:
    """A network from canvases, `(batch, 64, 64, 1)`, 0 to 1, to (x, y), `(batch, 2)`."""
    image = keras.Input((CANVAS, CANVAS, 1), name="image")
    return keras.Model(image, builder(image))


def canvases(places: np.ndarray, generator: np.random.Generator) -> Pair:
    """Canvases with a square in any order, and the centres."""
    shuffled = generator.permutation(places)
    return squares(shuffled)[..., None], shuffled.astype("float32")


def score(model: keras.Model, places: np.ndarray) -> dict[str, float]:
    """Euclidean distances between answers and centres, in pixels: the mean over all places, and the largest."""
    answers = model.predict(squares(places)[..., None], batch_size=64, verbose=0)
    distances = np.linalg.norm(answers - places, axis=1)
    return {
        "mean_error_pixels": round(float(distances.mean()), 4),
        "largest_error_pixels": round(float(distances.max()), 4),
    }


NETWORKS = {
    "coordconv-regressor": Network(
        whole=lambda: from_canvas(coordconv.regressor),
        learning=lambda: from_canvas(coordconv.regressor),
        draw=canvases,
        loss=keras.losses.MeanSquaredError,
        rounds=15,
        jit_compile=False,
    ),
    "conv-regressor": Network(
        whole=lambda: from_canvas(coordconv.convolution),
        learning=lambda: from_canvas(coordconv.convolution),
        draw=canvases,
        loss=keras.losses.MeanSquaredError,
        rounds=15,
        jit_compile=False,
    ),
}
