"""Supervised coordinate classification: to find the pixel that (x, y) names. Liu et al., 2018, section 4.1."""

import functools

import keras
import numpy as np

from recipes.coordconv_training import Network, Pair, from_coordinates
from recipes.not_so_clevr import CANVAS, pixel_indices
from zoo.architectures import coordconv

CANDIDATES = 64  # pixels of a canvas that one step of the CoordConv classifier looks at,
NEAR_PIXELS = 2  # those at most so far from the right one, and others anywhere

METRIC = "share of pixels whose logit is the highest of all 4,096 on the canvas, in %"
# The best network of each kind; 86 % is said to be the most that deconvolution reaches.
PAPER_TEST = {
    ("coordconv-classifier", "uniform"): {"paper_test_percent": 100.0},
    ("coordconv-classifier", "quadrant"): {"paper_test_percent": 100.0},
    ("deconv-classifier", "uniform"): {"paper_test_percent": 86.0},
    ("deconv-classifier", "quadrant"): {"paper_test_percent": 0.0},
}


def painter_of_candidates() -> keras.Model:
    """The CoordConv painter on some pixels only: `(batch, 64, 1, 4)` to logits `(batch, 64)`.

    Its convolutions are 1x1, so that the other pixels of the canvas change nothing but the sum over them in the loss.
    """
    pixels = keras.Input((CANDIDATES, 1, 4), name="pixels")
    return keras.Model(pixels, keras.layers.Reshape((CANDIDATES,))(coordconv.painter(pixels)))


def seen_by_the_painter(places: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Wanted places, `(n, 2)`, and pixels of the canvas, `(n, 64, 2)`: `(n, 64, 1, 4)`, float32, -1 to 1."""
    wanted = np.broadcast_to(places[:, None], pixels.shape)
    features = np.concatenate([wanted, pixels[..., ::-1]], axis=-1)  # x, y; then y, x, as AddCoords2D appends them
    return (features * (2 / (CANVAS - 1)) - 1).astype("float32")[:, :, None]


def candidates(places: np.ndarray, generator: np.random.Generator) -> Pair:
    """The right pixel first, its neighbours, and pixels from anywhere else, as the painter sees them; in any order."""
    places = generator.permutation(places)
    steps = np.arange(-NEAR_PIXELS, NEAR_PIXELS + 1)
    offsets = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    offsets = offsets[np.argsort(np.abs(offsets).sum(axis=1), kind="stable")]
    far = generator.integers(CANVAS**2 - 1, size=(len(places), CANDIDATES - len(offsets)))
    far += far >= pixel_indices(places)[:, None]  # any but the right one
    pixels = np.concatenate([places[:, None] + offsets, np.stack([far % CANVAS, far // CANVAS], axis=-1)], axis=1)
    return seen_by_the_painter(places, pixels), np.zeros(len(places), "int32")


def whole_canvas(places: np.ndarray, generator: np.random.Generator) -> Pair:
    """Pixels in any order, and their indices on the canvas."""
    shuffled = generator.permutation(places)
    return shuffled.astype("float32"), pixel_indices(shuffled)


def score(model: keras.Model, places: np.ndarray) -> dict[str, float]:
    """Of how many pixels in a hundred the network's highest logit is the right one among all 4,096."""
    logits = model.predict(places.astype("float32"), batch_size=64, verbose=0)
    answers = logits.reshape(len(places), -1).argmax(axis=1)
    return {"percent": round(100 * float(np.mean(answers == pixel_indices(places))), 3)}


plain = functools.partial(coordconv.deconvolution, kernel_size=2)  # of the sides in the paper, the cheapest
cross_entropy = functools.partial(keras.losses.SparseCategoricalCrossentropy, from_logits=True)

NETWORKS = {
    "coordconv-classifier": Network(
        whole=lambda: from_coordinates(coordconv.classifier),
        learning=painter_of_candidates,
        draw=candidates,
        loss=cross_entropy,
        rounds=30,
        weight_decay=0.1,  # without it, at half the rate, 2 of 784 pixels stayed wrong
    ),
    "deconv-classifier": Network(
        whole=lambda: from_coordinates(plain),
        learning=lambda: from_coordinates(lambda x: keras.layers.Flatten()(plain(x))),
        draw=whole_canvas,
        loss=cross_entropy,
        rounds=30,
    ),
}
