"""The photographs that are inside the packages scikit-image and scikit-learn, made smaller, and how to score one.

The package needs its extra `train`. Nothing is downloaded.
"""

import math
from pathlib import Path

import numpy as np
import skimage
import sklearn
from PIL import Image
from skimage.metrics import structural_similarity

# Never trained on, nor used to choose anything in the recipes of super-resolution.
HELD_OUT = ("coffee.png", "chelsea.png", "china.jpg")
# The other photographs in the two packages. Left out, because a run without them did better on photographs set aside:
# drawings and scans, the microscope and the telescope, and images so soft that making them smaller costs nothing.
TRAINING = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "coins.png",
    "flower.jpg",
    "grass.png",
    "gravel.png",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "rocket.jpg",
)


def photograph(name: str) -> Image.Image:
    """Open an image of scikit-image or scikit-learn by its file name, as RGB."""
    folders = (Path(skimage.__file__).parent / "data", Path(sklearn.__file__).parent / "datasets" / "images")
    path = next(folder / name for folder in folders if (folder / name).is_file())
    return Image.open(path).convert("RGB")


def degrade(photo: Image.Image, scale: int) -> tuple[Image.Image, Image.Image]:
    """Crop `photo` to a multiple of `scale`, and make it `scale` times smaller: `(cropped, small)`."""
    cropped = photo.crop((0, 0, photo.width // scale * scale, photo.height // scale * scale))
    return cropped, cropped.resize((cropped.width // scale, cropped.height // scale), Image.Resampling.BICUBIC)


def bicubic(small: Image.Image, scale: int) -> Image.Image:
    """The enlargement that has to be beaten."""
    return small.resize((small.width * scale, small.height * scale), Image.Resampling.BICUBIC)


def luma_psnr(image: Image.Image | np.ndarray, reference: Image.Image | np.ndarray, border: int) -> float:
    """PSNR in dB on the luma of BT.601 in [16, 235], as the field measures it, `border` pixels left out.

    Args:
        image: RGB in [0, 255], `(height, width, 3)`.
        reference: The same.
        border: Pixels left out on each side, customarily the scale.
    """
    difference = _inner_luma(image, border) - _inner_luma(reference, border)
    return float(10 * math.log10(255**2 / np.mean(difference**2)))


def luma_ssim(image: Image.Image | np.ndarray, reference: Image.Image | np.ndarray, border: int) -> float:
    """Structural similarity, at most 1, on the same luma as `luma_psnr`, which says what the arguments are.

    Wang et al., 2004, https://doi.org/10.1109/TIP.2003.819861: a Gaussian window of 1.5 pixels, 11 wide.
    """
    return float(
        structural_similarity(
            _inner_luma(image, border),
            _inner_luma(reference, border),
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def _inner_luma(image: Image.Image | np.ndarray, border: int) -> np.ndarray:
    """Luma in [16, 235]: (h, w, 3) -> (h - 2 border, w - 2 border)."""
    plane = 16 + np.asarray(image, "float64") @ (np.array([65.481, 128.553, 24.966]) / 255)
    height, width = plane.shape
    return plane[border : height - border, border : width - border]
