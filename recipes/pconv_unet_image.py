"""Draw the image of the inpainting cards: damaged, biharmonic inpainting, both checkpoints, original.

    python -m recipes.pconv_unet_image [--output MODEL_CARDS]

The package needs its extra `train`.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image

import zoo
from recipes.classical import biharmonic
from recipes.image_folder import image_folder
from recipes.irregular_masks import ellipse, stroke
from recipes.photographs import photograph

SIDE_PIXELS = 224
GAP_PIXELS = 6
SEED = 3
HOLE = (255, 0, 255)  # magenta, which neither photograph has
# Left and top of the detail in a held-out photograph, what makes its holes, how many of them and how large
ROWS: tuple[tuple[str, tuple[int, int], Callable, int, float], ...] = (
    ("coffee.png", (150, 60), stroke, 22, 0.8),
    ("china.jpg", (180, 110), ellipse, 22, 0.9),
)
NETWORKS = ("pconv-unet.photos", "pconv-unet")


def holes(shape: Callable, count: int, scale: float) -> np.ndarray:
    """Holes of one kind: float32, `(side, side, 1)`, 1 is valid."""
    canvas, generator = Image.new("1", (SIDE_PIXELS, SIDE_PIXELS), 1), np.random.default_rng(SEED)
    for _ in range(count):
        shape(canvas, scale * SIDE_PIXELS, generator)
    return np.asarray(canvas).astype("float32")[..., None]


def row(name: str, corner: tuple[int, int], mask: np.ndarray) -> list[np.ndarray]:
    """The five images of one detail: uint8, `(side, side, 3)`."""
    left, top = corner
    original = np.asarray(photograph(name).crop((left, top, left + SIDE_PIXELS, top + SIDE_PIXELS)))
    damaged = (original * mask).astype("uint8")
    smooth = np.rint(np.clip(biharmonic(damaged, mask[..., 0]), 0, 255)).astype("uint8")
    answers = [zoo.predict(network, {"image": damaged, "mask": mask})[0].image for network in NETWORKS]
    shown = np.where(mask == 1, original, HOLE).astype("uint8")
    return [shown, smooth, *map(np.asarray, answers), original]


def sheet() -> Image.Image:
    """One row a photograph and kind of hole."""
    step = SIDE_PIXELS + GAP_PIXELS
    page = Image.new("RGB", (5 * step - GAP_PIXELS, len(ROWS) * step - GAP_PIXELS), "white")
    for line, (name, corner, shape, count, scale) in enumerate(ROWS):
        for column, image in enumerate(row(name, corner, holes(shape, count, scale))):
            page.paste(Image.fromarray(image), (column * step, line * step))
    return page


def main() -> None:
    """Write the image beside the cards."""
    sheet().save(image_folder(__doc__) / "pconv-unet.png", optimize=True)


if __name__ == "__main__":
    main()
