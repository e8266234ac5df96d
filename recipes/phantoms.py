"""Phantoms in the manner of positron emission tomography: a body, its organs, faint lesions; blurred, and counted.

Everything is generated. The body and all that is in it are ellipsoids; an organ takes up a tracer in its own measure, a
lesion more than most of them. The scanner blurs, and counts photons: Poisson noise.

The package needs its extra `train`.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

SHAPE = (32, 48, 48)  # voxels: depth, height, width
BLUR_VOXELS = 1.0  # standard deviation of the scanner's point-spread function
COUNTS = (3.0, 10.0)  # photons per voxel, on average, where the uptake is 1
LESIONS = (2, 6)  # a phantom
LESION_UPTAKE = (2.2, 3.5)  # that of the body is 1
# Middle and half axes as shares of the shape, each jittered by a tenth; then the range of the uptake.
ORGANS = {
    "left lung": ((0.40, 0.48, 0.30), (0.28, 0.22, 0.12), (0.3, 0.5)),
    "right lung": ((0.40, 0.48, 0.70), (0.28, 0.22, 0.12), (0.3, 0.5)),
    "heart": ((0.50, 0.38, 0.54), (0.13, 0.11, 0.11), (1.2, 2.0)),
    "liver": ((0.76, 0.45, 0.38), (0.13, 0.20, 0.20), (1.3, 1.8)),
    "spleen": ((0.78, 0.58, 0.72), (0.10, 0.10, 0.07), (1.3, 1.8)),
    "spine": ((0.50, 0.78, 0.50), (0.48, 0.06, 0.06), (1.1, 1.4)),
}
JITTER = 0.1


def ellipsoid(middle: np.ndarray, half_axes: np.ndarray) -> np.ndarray:
    """The voxels whose middle lies inside, bool, `SHAPE`. Both arguments in voxels, `(3,)`."""
    axes = [((np.arange(side) - at) / half) ** 2 for side, at, half in zip(SHAPE, middle, half_axes, strict=True)]
    return axes[0][:, None, None] + axes[1][:, None] + axes[2] <= 1


def around(value: tuple[float, float, float], generator: np.random.Generator) -> np.ndarray:
    """Shares of the shape, jittered, in voxels."""
    return np.array(value) * generator.uniform(1 - JITTER, 1 + JITTER, 3) * SHAPE


def healthy(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The uptake of a body without lesions, float64 `SHAPE`, and where the body is, bool."""
    body = ellipsoid(np.array(SHAPE) / 2, around((0.60, 0.38, 0.44), generator))
    uptake = body.astype("float64")
    for middle, half_axes, (least, most) in ORGANS.values():
        organ = ellipsoid(around(middle, generator), around(half_axes, generator)) & body
        uptake[organ] = generator.uniform(least, most)
    return uptake, body


def phantom(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A phantom: counts, float32 `SHAPE`, and where the lesions are, bool `SHAPE`."""
    uptake, body = healthy(generator)
    lesions = np.zeros(SHAPE, bool)
    for _ in range(generator.integers(LESIONS[0], LESIONS[1] + 1)):
        middle = generator.choice(np.argwhere(body))
        lesion = ellipsoid(middle + generator.uniform(-0.5, 0.5, 3), generator.uniform(1.5, 4.0, 3)) & body
        uptake[lesion] = generator.uniform(*LESION_UPTAKE)
        lesions |= lesion
    expected = gaussian_filter(uptake, BLUR_VOXELS) * generator.uniform(*COUNTS)
    return generator.poisson(expected).astype("float32"), lesions


def phantoms(count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Several: counts and lesions, float32, 1 and 0, both `(count, 32, 48, 48, 1)`."""
    counts, lesions = zip(*(phantom(generator) for _ in range(count)), strict=True)
    return np.stack(counts)[..., None], np.stack(lesions)[..., None].astype("float32")


def dice(answer: np.ndarray, target: np.ndarray) -> float:
    """Twice the overlap over the sum of both: 1 is perfect. Over all voxels of all phantoms at once."""
    return float(2 * np.logical_and(answer, target).sum() / (np.sum(answer > 0) + np.sum(target > 0)))


def best_threshold(values: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """The threshold whose Dice is the highest on these very values, which no user could know, and that Dice."""
    order = np.argsort(-values, axis=None)
    hits = np.cumsum(target.ravel()[order] > 0)
    scores = 2 * hits / (np.arange(1, hits.size + 1) + hits[-1])
    ordered = values.ravel()[order]
    is_last = np.append(ordered[1:] < ordered[:-1], True)  # equal values fall together
    best = int(np.argmax(np.where(is_last, scores, 0)))
    return float(ordered[best]), float(scores[best])


def smoothed(counts: np.ndarray, voxels: float) -> np.ndarray:
    """Each phantom by itself, made smooth by a Gaussian of this standard deviation; the shape stays."""
    return gaussian_filter(counts, (0, voxels, voxels, voxels, 0))
