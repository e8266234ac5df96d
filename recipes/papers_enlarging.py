"""Super-resolution on `superres/set5` and `superres/set14` as the papers do.

That is: luma, or the plane of a grey image, without a border of the scale; small images by MATLAB's bicubic, 8-bit RGB.
"""

import functools
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from keras.ops import convert_to_numpy
from PIL import Image
from skimage.metrics import structural_similarity

import zoo
from recipes.measurement import Measurement, Table
from recipes.reductions import REDUCTIONS, matlab_bicubic, smaller

SETS = ("set5", "set14")
SCALES = (2, 3, 4)
# By their names in the registry, the records beside their weights.
MODELS = {
    "espcn-x{}": "espcn-x{}",
    "fsrcnn-x{}": "fsrcnn-x{}",
    "wdsr-x{}.photos": "wdsr-x{}",
    "wdsr-x{}.research": "wdsr-x{}-research",
    "wdsr-x{}.real": "wdsr-x{}-real",
}

# From a small image, uint8, (h, w, 3), and the scale to the large one, 0 to 255.
Enlargement = Callable[[np.ndarray, int], np.ndarray]


def lanczos(small: np.ndarray, scale: int) -> np.ndarray:
    """Pillow's."""
    size = (small.shape[1] * scale, small.shape[0] * scale)
    return np.asarray(Image.fromarray(small).resize(size, Image.Resampling.LANCZOS))


def methods(scale: int) -> dict[str, Enlargement]:
    """The classical ones and the networks."""
    found: dict[str, Enlargement] = {
        "bicubic": lambda small, scale: matlab_bicubic(small, small.shape[0] * scale, small.shape[1] * scale),
        "Lanczos": lanczos,
    }
    return found | {name.format(scale): _network(name.format(scale)) for name in MODELS}


def _network(name: str) -> Enlargement:
    model = zoo.load(name)
    return lambda small, scale: convert_to_numpy(model(small[None].astype("float32")))[0]


def plane(image: np.ndarray, is_grey: bool, border: int) -> np.ndarray:
    """What is compared: luma in [16, 235], or a grey image as it is; without the border."""
    image = np.rint(np.clip(image, 0, 255))
    whole = image[..., 0] if is_grey else 16 + image @ (np.array([65.481, 128.553, 24.966]) / 255)
    return whole[border : whole.shape[0] - border, border : whole.shape[1] - border]


def tables(data: Path, name: str, scale: int) -> dict[str, Table]:
    """PSNR in dB and SSIM, means over the images of a set, and the mean CPU seconds per image."""
    originals = _originals(data, name, scale)
    return {name: {method: scores(originals, answer, smaller, scale) for method, answer in methods(scale).items()}}


def reductions(data: Path, name: str, scale: int) -> dict[str, Table]:
    """PSNR in dB by how the small images were made."""
    originals = _originals(data, name, scale)
    found = {
        method: {way: scores(originals, answer, reduce, scale)["psnr_db"] for way, reduce in REDUCTIONS.items()}
        for method, answer in methods(scale).items()
    }
    return {f"{name}_reductions": found}


def scores(
    originals: list[tuple[np.ndarray, bool]], method: Enlargement, reduce: Enlargement, scale: int
) -> dict[str, float]:
    """One row of the table."""
    smalls = [reduce(image, scale) for image, _ in originals]
    begun = time.process_time()
    answers = [method(small, scale) for small in smalls]
    seconds = (time.process_time() - begun) / len(smalls)
    psnr, ssim = [], []
    for (image, is_grey), answer in zip(originals, answers, strict=True):
        one, other = (plane(each, is_grey, scale) for each in (image, answer))
        psnr.append(10 * np.log10(255**2 / np.mean((one - other) ** 2)))
        ssim.append(_similarity(one, other))
    means = {"psnr_db": round(float(np.mean(psnr)), 2), "ssim": round(float(np.mean(ssim)), 4)}
    return means | {"seconds": round(seconds, 3)}


def _originals(data: Path, name: str, scale: int) -> list[tuple[np.ndarray, bool]]:
    return [_original(path, scale) for path in sorted((data / "superres" / name).iterdir())]


def _original(path: Path, scale: int) -> tuple[np.ndarray, bool]:
    """The image, cropped to a multiple of the scale, and whether it is grey."""
    with Image.open(path) as opened:
        image, is_grey = np.asarray(opened.convert("RGB")), opened.mode in ("L", "1", "I;16")
    height, width = (length // scale * scale for length in image.shape[:2])
    return image[:height, :width], is_grey


def _similarity(one: np.ndarray, other: np.ndarray) -> float:
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(one, other, data_range=255, **window))


def _measurement(title: str, measure: Callable[..., dict[str, Table]], name: str, scale: int) -> Measurement:
    records = tuple(record.format(scale) for record in MODELS.values())
    return Measurement(title, (f"superres/{name}",), records, functools.partial(measure, name=name, scale=scale))


MEASUREMENTS = tuple(
    [_measurement(f"Super-resolution x{scale}", tables, name, scale) for name in SETS for scale in SCALES]
    + [_measurement(f"Super-resolution x{scale}, by reduction, PSNR", reductions, "set5", scale) for scale in SCALES]
)
