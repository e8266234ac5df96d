"""Super-resolution on `superres/set5` and `superres/set14` as the papers do.

That is: luma, or the plane of a grey image, without a border of the scale; small images by MATLAB's bicubic, 8-bit RGB.
"""

import functools
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from keras.ops import convert_to_numpy
from PIL import Image
from skimage.metrics import structural_similarity

import zoo
from recipes.measurement import Measurement, Table

SETS = ("set5", "set14")
SCALES = (2, 3, 4)
FAMILIES = ("espcn", "fsrcnn")
JPEG_QUALITY = 90

# From a small image, uint8, (h, w, 3), and the scale to the large one, 0 to 255.
Enlargement = Callable[[np.ndarray, int], np.ndarray]


def cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' kernel of -0.5."""
    x = np.abs(distance)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0))


@functools.cache
def matrix(before: int, after: int, antialiasing: bool = True) -> np.ndarray:
    """MATLAB's weights along one axis, `(after, before)`: wider where it shrinks, mirrored at the border."""
    ratio = after / before
    stretch = min(ratio, 1) if antialiasing else 1
    width = 4 / stretch
    centres = (np.arange(after) + 0.5) / ratio - 0.5
    taps = np.floor(centres - width / 2)[:, None].astype(int) + np.arange(int(np.ceil(width)) + 2)
    weights = cubic((centres[:, None] - taps) * stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = np.where(taps < 0, -1 - taps, np.where(taps >= before, 2 * before - 1 - taps, taps))
    result = np.zeros((after, before))
    np.add.at(result, (np.arange(after)[:, None], mirrored), weights)
    return result


def matlab_bicubic(image: np.ndarray, height: int, width: int, *, antialiasing: bool = True) -> np.ndarray:
    """`imresize` of uint8, rounded after each axis: `(h, w, 3)` to `(height, width, 3)`."""
    for axis, length in enumerate((height, width)):
        weights = matrix(image.shape[axis], length, antialiasing)
        image = np.moveaxis(np.tensordot(weights, image, (1, axis)), 0, axis)
        image = np.rint(np.clip(image, 0, 255))
    return image.astype("uint8")


def smaller(image: np.ndarray, scale: int) -> np.ndarray:
    """As the papers make their small images."""
    return matlab_bicubic(image, image.shape[0] // scale, image.shape[1] // scale)


def without_antialiasing(image: np.ndarray, scale: int) -> np.ndarray:
    """Bicubic, but between the nearest pixels only; OpenCV's INTER_CUBIC does alike."""
    return matlab_bicubic(image, image.shape[0] // scale, image.shape[1] // scale, antialiasing=False)


def mean_of_squares(image: np.ndarray, scale: int) -> np.ndarray:
    """Each pixel the mean of those that it stands for, as OpenCV's INTER_AREA."""
    height, width = (length // scale for length in image.shape[:2])
    return np.rint(image.reshape(height, scale, width, scale, 3).mean(axis=(1, 3))).astype("uint8")


def jpeg(image: np.ndarray, scale: int) -> np.ndarray:
    """As the papers make them, and then compressed lightly."""
    file = io.BytesIO()
    Image.fromarray(smaller(image, scale)).save(file, "JPEG", quality=JPEG_QUALITY)
    return np.asarray(Image.open(file))


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
    return found | {f"{family}-x{scale}": _network(f"{family}-x{scale}") for family in FAMILIES}


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


REDUCTIONS = {
    "anti-aliased": smaller,
    "not anti-aliased": without_antialiasing,
    "mean": mean_of_squares,
    "JPEG": jpeg,
}


def _measurement(title: str, measure: Callable[..., dict[str, Table]], name: str, scale: int) -> Measurement:
    records = tuple(f"{family}-x{scale}" for family in FAMILIES)
    return Measurement(title, (f"superres/{name}",), records, functools.partial(measure, name=name, scale=scale))


MEASUREMENTS = tuple(
    [_measurement(f"Super-resolution x{scale}", tables, name, scale) for name in SETS for scale in SCALES]
    + [_measurement(f"Super-resolution x{scale}, by reduction, PSNR", reductions, "set5", scale) for scale in SCALES]
)
