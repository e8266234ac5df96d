"""Draw the images of the model cards: what goes in, the bicubic enlargement, what comes out, the original.

    python -m recipes.card_images [--output MODEL_CARDS]

The package needs its extra `train`.
"""

from PIL import Image

import zoo
from recipes.image_folder import image_folder
from recipes.photographs import bicubic, degrade, photograph
from zoo.catalogue.registry import registry
from zoo.model import ZooModel

SIDE_PIXELS = 112  # of the detail, in the original
GAP_PIXELS = 6
DETAILS = {"coffee.png": (190, 120), "chelsea.png": (110, 70)}  # left and top in the original


def enlargers() -> list[str]:
    """The models that draw this image, one per architecture."""
    entries = [entry for entry in registry().entries.values() if entry.task == "super-resolution" and entry.is_embedded]
    return list(dict.fromkeys(entry.architecture for entry in entries))


def details(model: ZooModel, name: str) -> list[Image.Image]:
    """The same detail of input, bicubic enlargement, output and original, each drawn twice as large."""
    scale = model.spec.config["scale"]
    large, small = degrade(photograph(name), scale)
    output = zoo.predict(model, small)[0].image
    images = [small.resize(large.size, Image.Resampling.NEAREST), bicubic(small, scale), output, large]
    left, top = DETAILS[name]
    box = (left, top, left + SIDE_PIXELS, top + SIDE_PIXELS)
    side = 2 * SIDE_PIXELS
    return [image.crop(box).resize((side, side), Image.Resampling.NEAREST) for image in images]


def sheet(enlarger: str) -> Image.Image:
    """One row a photograph."""
    model = zoo.load(enlarger)
    step = 2 * SIDE_PIXELS + GAP_PIXELS
    page = Image.new("RGB", (4 * step - GAP_PIXELS, len(DETAILS) * step - GAP_PIXELS), "white")
    for row, name in enumerate(DETAILS):
        for column, image in enumerate(details(model, name)):
            page.paste(image, (column * step, row * step))
    return page


def main() -> None:
    folder = image_folder(__doc__)
    for enlarger in enlargers():
        sheet(enlarger).save(folder / f"{enlarger}.png", optimize=True)


if __name__ == "__main__":
    main()
