"""What the networks of recipes/sparseconvnet.py are tested on, and what nearest-neighbour filling scores there.

The motorcycle of Middlebury lies inside scikit-image (the extra `train`): a map of disparities that none of them saw.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import keras
import numpy as np
import skimage
from scipy.ndimage import distance_transform_edt

from zoo.datasets import depth_maps
from zoo.measures.depth import DepthMeasure

SEED = 0
KITTI_PERCENT = (5, 10, 25, 50, 70, 100)  # of the points of the laser that are kept
PREFIXES = {"": 100, "quarter_": 25}
METRE_PIXELS = 300.0  # a depth times its disparity; the motorcycle is then 5 to 43 m away
MOTORCYCLE_PERCENT = (5, 10, 20, 30, 40, 50, 60, 70)  # of all pixels

Answer = Callable[[np.ndarray], np.ndarray]  # sparse to filled, both (h, w)
Pair = tuple[np.ndarray, np.ndarray]  # sparse and target, both (h, w), 0 = none


def motorcycle() -> np.ndarray:
    """Disparities in pixels, 7 to 60, float32 `(500, 741)`, 0 where none is known; a network takes them for metres."""
    disparities = skimage.data.stereo_motorcycle()[2]
    return np.where(np.isfinite(disparities), disparities, 0).astype("float32")


def keep(depths: np.ndarray, percent: float, index: int = 0) -> np.ndarray:
    """A random share of the points of the map number `index`: those kept at 5 % are also among the 10 %."""
    chances = np.random.default_rng([SEED, index]).random(depths.shape)
    return np.where(100 * chances < percent, depths, 0).astype("float32")


def nearest(sparse: np.ndarray) -> np.ndarray:
    """Each pixel gets the value of the nearest one that has a value."""
    indices = distance_transform_edt(sparse == 0, return_distances=False, return_indices=True)
    return sparse[tuple(indices)]


def answers(model: keras.Model) -> Answer:
    """What a network fills in, as `nearest` does."""

    def answer(sparse: np.ndarray) -> np.ndarray:
        depths = sparse[None, ..., None]
        outputs = model({"image": depths, "mask": (depths > 0).astype("float32")})
        return keras.ops.convert_to_numpy(outputs)[0, ..., 0]

    return answer


def inverted(answer: Answer) -> Answer:
    """The answer of a network of depths to disparities: it sees their inverses, and its own are inverted again."""

    def inverse(values: np.ndarray) -> np.ndarray:
        return np.divide(METRE_PIXELS, values, out=np.zeros(values.shape, "float32"), where=values > 0)

    return lambda sparse: inverse(answer(inverse(sparse)))


def scores(answer: Answer, pairs: Iterable[Pair], percent: float) -> dict[str, float]:
    """MAE and RMSE with a share of the points."""
    total = DepthMeasure()
    for index, (sparse, target) in enumerate(pairs):
        total.add(answer(keep(sparse, percent, index))[None], target[None])
    results = total.results()
    return {name: results[name] for name in ("mae_metres", "rmse_metres")}


def by_percent(answer: Answer, pairs: list[Pair], percents: Iterable[int]) -> dict[int, dict[str, float]]:
    """MAE and RMSE for each share."""
    return {percent: scores(answer, pairs, percent) for percent in percents}


def curve(measured: dict[int, dict[str, float]]) -> dict[str, float]:
    """The MAE for each share, by `"5_percent"` and so on, and how many times the smallest the largest is."""
    row = {f"{percent}_percent": errors["mae_metres"] for percent, errors in measured.items()}
    row["max_by_min"] = max(row.values()) / min(row.values())
    return {name: round(value, 3) for name, value in row.items()}


def motorcycle_curve(answer: Answer) -> dict[str, float]:
    """The row of `curve` on the motorcycle, in pixels of disparity; 5 to 70 % of all its pixels are given."""
    disparities = motorcycle()
    return curve(by_percent(answer, [(disparities, disparities)], MOTORCYCLE_PERCENT))


def kitti_pairs(folder: Path) -> list[Pair]:
    """The test pairs: one sweep of the laser, and several that were put together, as target."""
    return [depth_maps.read_pair(pair) for pair in depth_maps.find_pairs(folder, "test")]


def all_and_a_quarter(measured: dict[int, dict[str, float]]) -> dict[str, float]:
    """MAE and RMSE with all points and with a quarter of them."""
    rows = {prefix + key: value for prefix, percent in PREFIXES.items() for key, value in measured[percent].items()}
    return {name: round(value, 3) for name, value in rows.items()}
