"""Inpainting on `superres/bsd100`: the middle of the first 20 images, the recipe's masks and `inpainting/nvidia-masks`.

NVIDIA's masks are those of the paper, 512 x 512, a hole where they are white; they are made smaller by taking every
second pixel. For each range of hole ratios 20 masks, the first ones by name.
"""

import functools
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from keras.ops import convert_to_numpy
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import zoo
from recipes import classical
from recipes.irregular_masks import BINS, Bin, hole_percent, irregular_mask
from recipes.measurement import Measurement, Table
from zoo.catalogue.registry import registry
from zoo.layers import DiffusionFill2D

IMAGES, NVIDIA_MASKS = "superres/bsd100", "inpainting/nvidia-masks"
COUNT, SIDE = 20, 256
SEED = 1


def images(data: Path) -> list[np.ndarray]:
    """The middle of each: RGB, uint8, `(256, 256, 3)`."""
    cut = []
    for path in sorted((data / IMAGES).iterdir())[:COUNT]:
        image = np.asarray(Image.open(path).convert("RGB"))
        top, left = ((length - SIDE) // 2 for length in image.shape[:2])
        cut.append(image[top : top + SIDE, left : left + SIDE])
    return cut


def recipe_masks(holes: Bin) -> list[np.ndarray]:
    """Strokes and spots: uint8, `(256, 256)`, 1 is valid."""
    generator = np.random.default_rng([SEED, holes.low])
    return [irregular_mask(SIDE, SIDE, holes, generator)[..., 0] for _ in range(COUNT)]


def nvidia_masks(data: Path, holes: Bin) -> list[np.ndarray]:
    """The paper's: uint8, `(256, 256)`, 1 is valid."""
    masks = [mask for mask in _all_masks(data / NVIDIA_MASKS) if holes.low < hole_percent(mask) <= holes.high]
    return masks[:COUNT]


@functools.cache
def _all_masks(folder: Path) -> list[np.ndarray]:
    opened = (np.asarray(Image.open(path).convert("L")) for path in sorted(folder.glob("*.png")))
    return [(mask[::2, ::2] < 128).astype("uint8") for mask in opened]


def methods() -> dict[str, classical.Inpainting]:
    """Those that learn nothing, the fill alone, and the networks."""
    fill = DiffusionFill2D()
    found = classical.inpainting()
    found["diffusion"] = lambda image, mask: convert_to_numpy(
        fill([image[None].astype("float32"), mask[None, ..., None].astype("float32")])
    )[0]
    entries = [entry for entry in registry().entries.values() if entry.architecture == "pconv-unet"]
    return found | {entry.name: _network(entry.name) for entry in entries}


def _network(name: str) -> classical.Inpainting:
    model = zoo.load(name)

    def answer(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        inputs = {"image": image[None].astype("float32"), "mask": mask[None, ..., None].astype("float32")}
        return convert_to_numpy(model(inputs))[0]

    return answer


def tables(data: Path, masks: Callable[[Path, Bin], list[np.ndarray]], key: str) -> dict[str, Table]:
    """PSNR in dB and SSIM, by range of hole ratios, and the mean CPU seconds per image."""
    originals, drawn = images(data), {holes: masks(data, holes) for holes in BINS}
    psnr: Table = {}
    ssim: Table = {}
    for name, method in methods().items():
        method(originals[0], np.eye(SIDE, dtype="uint8"))  # what is done once is not timed
        psnr[name], ssim[name] = {}, {}
        begun = time.process_time()
        filled = {
            holes: [method(image * mask[..., None], mask) for image, mask in zip(originals, drawn[holes], strict=True)]
            for holes in BINS
        }
        seconds = (time.process_time() - begun) / (len(BINS) * COUNT)
        for holes, answers in filled.items():
            pairs = [(original, _whole(answer)) for original, answer in zip(originals, answers, strict=True)]
            column = f"{holes.low}-{holes.high} %"
            psnr[name][column] = round(float(np.mean([peak_signal_noise_ratio(*pair) for pair in pairs])), 2)
            ssim[name][column] = round(float(np.mean([similarity(*pair) for pair in pairs])), 4)
        psnr[name]["seconds"] = round(seconds, 3)
    return {f"{key}_psnr": psnr, f"{key}_ssim": ssim}


def similarity(original: np.ndarray, image: np.ndarray) -> float:
    """SSIM over a Gaussian window, as in `photographs.luma_ssim`, but the mean of red, green and blue."""
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return structural_similarity(original, image, data_range=255, channel_axis=-1, **window)


def _whole(answer: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(answer, 0, 255)).astype("uint8")


RECORDS = ("pconv-unet", "pconv-unet-research")
MEASUREMENTS = (
    Measurement(
        "Inpainting, 20 BSD100 images, the recipe's masks",
        (IMAGES,),
        RECORDS,
        lambda data: tables(data, lambda _, holes: recipe_masks(holes), "recipe_masks"),
    ),
    Measurement(
        "Inpainting, 20 BSD100 images, NVIDIA's masks",
        (IMAGES, NVIDIA_MASKS),
        RECORDS,
        lambda data: tables(data, nvidia_masks, "nvidia_masks"),
    ),
)
