"""PSNR of enlarged images, and of bicubic enlargement for comparison."""

from typing import Any

import numpy as np
from PIL import Image

from zoo.measures.measure import Measure, check_shapes


class SuperResolutionMeasure(Measure):
    """`rgb_psnr_db` and `bicubic_rgb_psnr_db`: peak signal-to-noise ratios of each image, then their means.

    Over red, green and blue, rounded and clipped to 0 to 255; `inputs` are the small images, uint8.
    """

    def _rows_of(self, outputs, targets, inputs):
        check_shapes(outputs, targets)
        found = zip(outputs, targets, np.asarray(inputs), strict=True)
        return np.array(
            [[_psnr(one, target), _psnr(bicubic(small, target.shape), target)] for one, target, small in found]
        )

    def _results(self, rows) -> dict[str, Any]:
        ours, enlarged = rows.mean(axis=0).tolist()
        return {"rgb_psnr_db": round(ours, 3), "bicubic_rgb_psnr_db": round(enlarged, 3)}


def bicubic(small: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """An image enlarged to the height and width of `shape`: float32 `(height, width, 3)`."""
    image = Image.fromarray(np.clip(np.round(small), 0, 255).astype(np.uint8))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BICUBIC), "float32")


def _psnr(output: np.ndarray, target: np.ndarray) -> float:
    error = np.mean(np.square(np.clip(np.round(output), 0, 255) - target, dtype="float64"))
    return float(10 * np.log10(255**2 / max(float(error), 1e-3)))
