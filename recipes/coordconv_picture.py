"""Draw the picture of the cards of CoordConv and its twin: what was trained on, the truth, and both answers.

python -m recipes.coordconv_picture [--output MODEL_CARDS]
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import zoo
from recipes.not_so_clevr import CANVAS, SPLITS, Split, split_centres

MAGNIFICATION = 4
GAP_PIXELS = 6
STRIDE = 3  # every third row and column of the test pixels: apart, one sees which are right
NETWORKS = ("coordconv-classifier", "deconv-classifier")


def dots(places: np.ndarray) -> np.ndarray:
    """A canvas with these pixels white: `(n, 2)` -> `(64, 64)`, uint8."""
    canvas = np.zeros((CANVAS, CANVAS), "uint8")
    canvas[places[:, 1], places[:, 0]] = 255
    return canvas


def row(split: Split) -> list[np.ndarray]:
    """Training pixels, the test pixels that are asked for, and the pixels that each network answers."""
    training, test = split_centres(split)
    asked = test[(test % STRIDE == 0).all(axis=1)]
    canvases = [dots(training), dots(asked)]
    for name in NETWORKS:
        records = zoo.predict(f"{name}.{split}", asked, batch_size=32)
        canvases.append(dots(np.array([(record["x"], record["y"]) for record in records])))
    return canvases


def sheet() -> Image.Image:
    """One row a split."""
    step = CANVAS * MAGNIFICATION + GAP_PIXELS
    page = Image.new("L", (4 * step - GAP_PIXELS, len(SPLITS) * step - GAP_PIXELS), "white")
    for line, split in enumerate(SPLITS):
        for column, canvas in enumerate(row(split)):
            large = Image.fromarray(canvas).resize((step - GAP_PIXELS,) * 2, Image.Resampling.NEAREST)
            page.paste(large, (column * step, line * step))
    return page


def main() -> None:
    """Write the picture beside the cards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("MODEL_CARDS"), help="folder for the picture")
    sheet().save(parser.parse_args().output / "coordconv-classifier.png", optimize=True)


if __name__ == "__main__":
    main()
