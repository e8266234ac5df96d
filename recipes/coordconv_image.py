"""Draw the images of the cards of CoordConv and its twins: what was trained on, the target, and both answers.

python -m recipes.coordconv_image [--output MODEL_CARDS]
"""

import numpy as np
from PIL import Image

import zoo
from recipes.image_folder import image_folder
from recipes.not_so_clevr import CANVAS, RADIUS, SPLITS, Split, split_centres, squares

MAGNIFICATION = 4
GAP_PIXELS = 6
STRIDE = 3  # every third row and column of the test centres: apart, one sees which are right
NETWORKS = {
    "classifier": ("coordconv-classifier", "deconv-classifier"),
    "regressor": ("coordconv-regressor", "conv-regressor"),
    "renderer": ("coordconv-renderer", "deconv-renderer"),
}


def dots(places: np.ndarray) -> np.ndarray:
    """A magnified canvas with these places white, whole pixels or not: `(n, 2)` -> `(256, 256)`, uint8."""
    canvas = np.zeros((CANVAS * MAGNIFICATION,) * 2, "uint8")
    for x, y in np.rint(np.asarray(places) * MAGNIFICATION).astype(int):
        if min(x, y) >= 0:  # an answer may lie off the canvas
            canvas[y : y + MAGNIFICATION, x : x + MAGNIFICATION] = 255
    return canvas


def magnified(canvas: np.ndarray) -> np.ndarray:
    """Each pixel as a square of pixels: `(64, 64)` -> `(256, 256)`."""
    return canvas.repeat(MAGNIFICATION, axis=0).repeat(MAGNIFICATION, axis=1)


def every_third(test: np.ndarray) -> np.ndarray:
    """The test centres of every third row and column."""
    return test[(test % STRIDE == 0).all(axis=1)]


def apart(test: np.ndarray) -> np.ndarray:
    """Test centres whose squares do not touch, from the top left on."""
    chosen: list[np.ndarray] = []
    for place in test:
        if all(np.abs(place - other).max() > 2 * RADIUS + 1 for other in chosen):
            chosen.append(place)
    return np.stack(chosen)


def classifier_row(split: Split) -> list[np.ndarray]:
    """Training pixels, the test pixels, and the pixels that each network predicts."""
    training, test = split_centres(split)
    asked = every_third(test)
    return [dots(training), dots(asked)] + [found(name, split, asked) for name in NETWORKS["classifier"]]


def regressor_row(split: Split) -> list[np.ndarray]:
    """Training centres, the centres of the squares that are shown, and the centres that each network predicts."""
    training, test = split_centres(split)
    shown = every_third(test)
    canvases = [np.uint8(255) * canvas.astype("uint8") for canvas in squares(shown)]
    return [dots(training), dots(shown)] + [found(name, split, canvases) for name in NETWORKS["regressor"]]


def found(name: str, split: Split, sources: np.ndarray | list[np.ndarray]) -> np.ndarray:
    """The places that a network predicts."""
    records = zoo.predict(f"{name}.{split}", sources, batch_size=32)
    return dots(np.array([(record["x"], record["y"]) for record in records]))


def renderer_row(split: Split) -> list[np.ndarray]:
    """Training centres, the squares that are asked for, and what each network draws; one at a time, laid together."""
    training, test = split_centres(split)
    asked = apart(test)
    row = [dots(training), magnified(255 * squares(asked).max(axis=0).astype("uint8"))]
    for name in NETWORKS["renderer"]:
        records = zoo.predict(f"{name}.{split}", asked, batch_size=32)
        row.append(magnified(np.max([np.asarray(record.image) for record in records], axis=0)))
    return row


ROWS = {"classifier": classifier_row, "regressor": regressor_row, "renderer": renderer_row}


def sheet(task: str) -> Image.Image:
    """One row a split."""
    step = CANVAS * MAGNIFICATION + GAP_PIXELS
    page = Image.new("L", (4 * step - GAP_PIXELS, len(SPLITS) * step - GAP_PIXELS), "white")
    for line, split in enumerate(SPLITS):
        for column, canvas in enumerate(ROWS[task](split)):
            page.paste(Image.fromarray(canvas), (column * step, line * step))
    return page


def main() -> None:
    """Write the images beside the cards."""
    folder = image_folder(__doc__)
    for task in ROWS:
        sheet(task).save(folder / f"coordconv-{task}.png", optimize=True)


if __name__ == "__main__":
    main()
