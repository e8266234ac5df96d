"""How inpainting is measured: tiles of photographs that were not trained on, irregular holes in six ranges of ratios.

The package needs its extra `train`.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from skimage.restoration import inpaint_biharmonic

from recipes.irregular_masks import Bin, irregular_mask
from recipes.photographs import HELD_OUT, photograph

TILE_PIXELS = 128
SEED = 1  # of the masks
METRIC = (
    f"means over all whole tiles of {TILE_PIXELS} x {TILE_PIXELS} pixels of coffee, chelsea and china, each whole tile "
    "in 8-bit RGB, its valid pixels copied: PSNR in dB; SSIM, mean of the channels; L1 in % of 255"
)

# From RGB, 0 to 255, (n, h, w, 3), black under the holes, and masks, (n, h, w, 1), 1 is valid, to filled RGB.
Method = Callable[[np.ndarray, np.ndarray], np.ndarray]


def tiles() -> np.ndarray:
    """Cut the held-out photographs into tiles, whole ones only: float32, `(n, side, side, 3)`, 0 to 255."""
    cut, side = [], TILE_PIXELS
    for name in HELD_OUT:
        photo = np.asarray(photograph(name), "float32")
        for top in range(0, photo.shape[0] - side + 1, side):
            cut += [photo[top : top + side, left : left + side] for left in range(0, photo.shape[1] - side + 1, side)]
    return np.stack(cut)


def tile_masks(count: int, holes: Bin) -> np.ndarray:
    """A mask for each tile, the same in each run: float32, `(count, side, side, 1)`."""
    generator = np.random.default_rng([SEED, holes.low])
    return np.stack([irregular_mask(TILE_PIXELS, TILE_PIXELS, holes, generator) for _ in range(count)]).astype(
        "float32"
    )


def biharmonic(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """What scikit-image makes of the holes, without learning."""
    pairs = zip(images / 255, masks, strict=True)
    return 255 * np.stack([inpaint_biharmonic(image, mask[..., 0] == 0, channel_axis=-1) for image, mask in pairs])


def score(method: Method, holes: Bin) -> dict[str, float]:
    """The mean PSNR, SSIM and L1 of a method on all tiles, holes in one range."""
    originals = tiles()
    masks = tile_masks(len(originals), holes)
    images = np.rint(np.clip(method(originals * masks, masks), 0, 255))
    pairs = list(zip(originals, images, strict=True))
    return {
        "psnr_db": round(float(np.mean([peak_signal_noise_ratio(*pair, data_range=255) for pair in pairs])), 3),
        "ssim": round(float(np.mean([similarity(*pair) for pair in pairs])), 4),
        "l1_percent": round(100 * float(np.mean(np.abs(originals - images))) / 255, 3),
    }


def similarity(original: np.ndarray, image: np.ndarray) -> float:
    """SSIM over a Gaussian window, as in `photographs.luma_ssim`, but the mean of red, green and blue."""
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return structural_similarity(original, image, data_range=255, channel_axis=-1, **window)


def compare(methods: Mapping[str, Method], bins: Iterable[Bin]) -> dict[str, dict[str, float]]:
    """One row per range of hole ratios, `"10-20 %"`; in it the metrics of each method, `pconv-unet_psnr_db`."""
    table = {}
    for holes in bins:
        scores = {name: score(method, holes) for name, method in methods.items()}
        table[f"{holes.low}-{holes.high} %"] = {
            f"{name}_{key}": row[key] for key in ("psnr_db", "ssim", "l1_percent") for name, row in scores.items()
        }
    return table
