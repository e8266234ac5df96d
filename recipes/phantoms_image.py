"""Draw the image of the 3-D U-Net's card: counts, lesions, what the best threshold finds, what the network finds.

    python -m recipes.phantoms_image [--output MODEL_CARDS]

The package needs its extra `train`.
"""

import numpy as np
from PIL import Image

import zoo
from recipes.image_folder import image_folder
from recipes.phantoms import best_threshold
from recipes.unet3d import NAME, held_out, to_be_thresholded
from zoo.tasks.volume_segmentation import marked

MAGNIFICATION = 4
GAP_PIXELS = 6
ROWS = 3  # the first phantoms of the test


def thresholded() -> np.ndarray:
    """What the best of all thresholds finds in the test phantoms: bool, `(32, 32, 48, 48, 1)`."""
    counts, lesions = held_out()
    values = list(to_be_thresholded(counts).values())
    found = [best_threshold(value, lesions) for value in values]
    best = int(np.argmax([dice for _, dice in found]))
    return values[best] >= found[best][0]


def sheet() -> Image.Image:
    """One row per phantom: the slice that contains most of its lesions."""
    counts, lesions = held_out()
    by_threshold = thresholded()
    records = zoo.predict(NAME, counts[:ROWS, ..., 0])
    height, width = counts.shape[2] * MAGNIFICATION, counts.shape[3] * MAGNIFICATION
    page = Image.new("RGB", (4 * (width + GAP_PIXELS) - GAP_PIXELS, ROWS * (height + GAP_PIXELS) - GAP_PIXELS), "white")
    for row, record in enumerate(records):
        index = int(lesions[row].sum(axis=(1, 2, 3)).argmax())
        values = counts[row, index, ..., 0]
        found = [lesions[row, index, ..., 0], by_threshold[row, index, ..., 0], record.label_map[index]]
        for column, mask in enumerate([np.zeros_like(values), *found]):
            image = marked(values, mask).resize((width, height), Image.Resampling.NEAREST)
            page.paste(image, (column * (width + GAP_PIXELS), row * (height + GAP_PIXELS)))
    return page


def main() -> None:
    """Write the image beside the card."""
    sheet().save(image_folder(__doc__) / f"{NAME}.png", optimize=True)


if __name__ == "__main__":
    main()
