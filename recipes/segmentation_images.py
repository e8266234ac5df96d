"""Draw the images of the cards of segmentation on CamVid: a photograph, and what the models see in it.

    python -m recipes.segmentation_images [--output MODEL_CARDS]

No frame of CamVid may be shown, so it is a photograph of scikit-learn. The package needs its extra `train`.
"""

from PIL import Image

import zoo
from recipes.image_folder import image_folder
from recipes.photographs import photograph

SIZE = (480, 320)  # about as large as the frames that were trained on
GAP_PIXELS = 6
SHEETS = {
    "fpn-lite0": ["fpn-lite0"],
    "segnet-basic": ["segnet-basic"],
    "fcn8s-small": ["fcn32s-small", "fcn16s-small", "fcn8s-small"],
}


def images(names: list[str]) -> list[Image.Image]:
    """The photograph, and covered by the classes of each model, with a legend below."""
    photo = photograph("china.jpg").resize(SIZE, Image.Resampling.BICUBIC)
    covered = [zoo.predict(name, photo)[0].image for name in names]
    return [photo, *(image for image in covered if image is not None)]


def sheet(names: list[str]) -> Image.Image:
    """Two columns."""
    drawn = images(names)
    heights = [max(image.height for image in drawn[row : row + 2]) for row in range(0, len(drawn), 2)]
    page = Image.new("RGB", (2 * SIZE[0] + GAP_PIXELS, sum(heights) + GAP_PIXELS * (len(heights) - 1)), "white")
    for index, image in enumerate(drawn):
        row, column = divmod(index, 2)
        page.paste(image, (column * (SIZE[0] + GAP_PIXELS), sum(heights[:row]) + row * GAP_PIXELS))
    return page


def main() -> None:
    """Write the images beside the cards."""
    folder = image_folder(__doc__)
    for file, names in SHEETS.items():
        sheet(names).save(folder / f"{file}.png", optimize=True)


if __name__ == "__main__":
    main()
