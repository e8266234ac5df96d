"""Super-resolution on `superres/set5`, `set14` and `bsd100` as the papers do.

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

SETS = ("set5", "set14", "bsd100")
SCALES = (2, 3, 4)
FAMILIES = ("espcn", "fsrcnn")

# From a small image, uint8, (h, w, 3), and the scale to the large one, 0 to 255.
Enlargement = Callable[[np.ndarray, int], np.ndarray]


def cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' kernel of -0.5."""
    x = np.abs(distance)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0))


@functools.cache
def matrix(before: int, after: int) -> np.ndarray:
    """MATLAB's weights along one axis, `(after, before)`: wider where it shrinks, mirrored at the border."""
    ratio = after / before
    width = 4 / min(ratio, 1)
    centres = (np.arange(after) + 0.5) / ratio - 0.5
    taps = np.floor(centres - width / 2)[:, None].astype(int) + np.arange(int(np.ceil(width)) + 2)
    weights = cubic((centres[:, None] - taps) * min(ratio, 1))
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = np.where(taps < 0, -1 - taps, np.where(taps >= before, 2 * before - 1 - taps, taps))
    result = np.zeros((after, before))
    np.add.at(result, (np.arange(after)[:, None], mirrored), weights)
    return result


def matlab_bicubic(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """`imresize` of uint8, rounded after each axis: `(h, w, 3)` to `(height, width, 3)`."""
    for axis, length in enumerate((height, width)):
        image = np.moveaxis(np.tensordot(matrix(image.shape[axis], length), image, (1, axis)), 0, axis)
        image = np.rint(np.clip(image, 0, 255))
    return image.astype("uint8")


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
    """PSNR in dB and SSIM, means over the images of a set, and the mean seconds per image."""
    table: Table = {}
    originals = [_original(path, scale) for path in sorted((data / "superres" / name).iterdir())]
    smalls = [matlab_bicubic(image, image.shape[0] // scale, image.shape[1] // scale) for image, _ in originals]
    for method_name, method in methods(scale).items():
        begun = time.perf_counter()
        answers = [method(small, scale) for small in smalls]
        seconds = (time.perf_counter() - begun) / len(smalls)
        psnr, ssim = [], []
        for (image, is_grey), answer in zip(originals, answers, strict=True):
            one, other = (plane(each, is_grey, scale) for each in (image, answer))
            psnr.append(10 * np.log10(255**2 / np.mean((one - other) ** 2)))
            ssim.append(_similarity(one, other))
        table[method_name] = {
            "psnr_db": round(float(np.mean(psnr)), 2),
            "ssim": round(float(np.mean(ssim)), 4),
            "seconds": round(seconds, 3),
        }
    return {name: table}


def _original(path: Path, scale: int) -> tuple[np.ndarray, bool]:
    """The image, cropped to a multiple of the scale, and whether it is grey."""
    with Image.open(path) as opened:
        image, is_grey = np.asarray(opened.convert("RGB")), opened.mode in ("L", "1", "I;16")
    height, width = (length // scale * scale for length in image.shape[:2])
    return image[:height, :width], is_grey


def _similarity(one: np.ndarray, other: np.ndarray) -> float:
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(one, other, data_range=255, **window))


MEASUREMENTS = tuple(
    Measurement(
        f"Super-resolution x{scale}",
        (f"superres/{name}",),
        tuple(f"{family}-x{scale}" for family in FAMILIES),
        functools.partial(tables, name=name, scale=scale),
    )
    for name in SETS
    for scale in SCALES
)
