"""Make the samples of the demo in a browser: small images, a series, a volume, a depth map.

    python -m tools.demo_samples [--output zoo/demo/samples]

The photographs lie inside scikit-image and scikit-learn, the series inside statsmodels (the extra `train`); all were
kept out of the training of the models that they are shown to, the textures by other strips. The rest is generated.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from recipes import not_so_clevr
from recipes.irregular_masks import Bin, irregular_mask
from recipes.phantoms import phantoms
from recipes.photographs import degrade, photograph
from recipes.tcn import co2, origins
from recipes.textures import LABELS, planes
from zoo.datasets.depth_maps import UNITS_PER_METRE

SEED = 7
STREET = (96, 320)  # pixels, height and width
FOCAL_PIXELS, CAMERA_METRES = 180.0, 1.6
GIVEN_PERCENT = 10
TEXTURES = ("bricks", "grass", "gravel")
PATCH = 96  # pixels per side
KNOWN_WEEKS = 260
HOLES = Bin(10, 20)  # percent
SQUARE = (44, 50)  # in the quadrant that training left out


def street() -> np.ndarray:
    """Depths of a generated street, metres, float64 `STREET`: the ground, houses on both sides, three boxes on it."""
    height, width = STREET
    rows, columns = np.mgrid[:height, :width]
    down, right = (rows - height / 3) / FOCAL_PIXELS, (columns - width / 2) / FOCAL_PIXELS
    with np.errstate(divide="ignore"):
        ground = np.where(down > 0, CAMERA_METRES / down, np.inf)
        houses = np.where(np.abs(right) > 0, 6.0 / np.abs(right), np.inf)
    depths = np.minimum(np.minimum(ground, houses), 60.0)
    for metres, left, top, box_width, box_height in (
        (8.0, -2.5, 0.1, 1.8, 1.5),
        (14.0, 1.5, 0, 1.8, 1.6),
        (25.0, -1, -1, 2.5, 2.6),
    ):
        inside = (right * metres > left) & (right * metres < left + box_width)
        inside &= (down * metres > top) & (down * metres < top + box_height)
        depths = np.where(inside, np.minimum(depths, metres), depths)
    return depths


def sparse_street(generator: np.random.Generator) -> Image.Image:
    """A random share of its pixels, as KITTI's 16-bit PNG."""
    given = np.where(100 * generator.random(STREET) < GIVEN_PERCENT, street(), 0)
    return Image.fromarray(np.round(given * UNITS_PER_METRE).astype(np.uint16))


def textures() -> dict[str, Image.Image]:
    """Patches of grey from strips that were kept out of training, at their own size."""
    tested = planes("test")
    return {name: Image.fromarray(tested[LABELS.index(name)][0][:PATCH, :PATCH]) for name in TEXTURES}


def damaged(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """The image with transparent holes."""
    mask = irregular_mask(image.height, image.width, HOLES, generator)
    return Image.fromarray(np.concatenate([np.asarray(image) * mask, 255 * mask], axis=-1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("zoo/demo/samples"), help="folder for the samples")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(SEED)
    cat = degrade(photograph("chelsea.png"), 2)[1]
    cat.save(folder / "cat.jpg", quality=90)
    damaged(cat, generator).save(folder / "damaged.png", optimize=True)
    degrade(photograph("coffee.png"), 2)[1].save(folder / "espresso.jpg", quality=90)
    degrade(photograph("flower.jpg"), 2)[1].save(folder / "flower.jpg", quality=90)
    photograph("china.jpg").resize((480, 320), Image.Resampling.BICUBIC).save(folder / "pagoda.jpg", quality=85)
    for name, patch in textures().items():
        patch.save(folder / f"{name}.png", optimize=True)
    square = 255 * not_so_clevr.squares(np.array([SQUARE]))[0].astype("uint8")
    Image.fromarray(square).save(folder / "square.png", optimize=True)
    sparse_street(generator).save(folder / "depths.png", optimize=True)
    series = co2().to_numpy()
    last = int(origins(len(series))[-1])
    np.save(folder / "co2.npy", series[last - KNOWN_WEEKS : last].astype("float32"))
    np.save(folder / "phantom.npy", phantoms(1, generator)[0][0, ..., 0].astype("uint8"))


if __name__ == "__main__":
    main()
