"""Draw the image of the card of EfficientNet-Lite0: six photographs, and what the network names them.

    python -m recipes.efficientnet_lite_image [--output MODEL_CARDS]

The package needs its extra `train`.
"""

from PIL import Image, ImageDraw, ImageFont, ImageOps

import zoo
from recipes.image_folder import image_folder
from recipes.import_efficientnet_lite import NAME, PHOTOGRAPHS
from recipes.photographs import photograph

SIDE_PIXELS = 240
GAP_PIXELS = 8
LINE_PIXELS = 26
COLUMNS = 3


def sheet() -> Image.Image:
    """The photographs in even rows, the best answer and its score below each."""
    cell = (SIDE_PIXELS + GAP_PIXELS, SIDE_PIXELS + LINE_PIXELS + GAP_PIXELS)
    rows = -(-len(PHOTOGRAPHS) // COLUMNS)
    canvas = Image.new("RGB", (COLUMNS * cell[0] + GAP_PIXELS, rows * cell[1] + GAP_PIXELS), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(16)
    records = zoo.predict(NAME, [photograph(name) for name in PHOTOGRAPHS])
    for index, (name, record) in enumerate(zip(PHOTOGRAPHS, records, strict=True)):
        left, top = (
            GAP_PIXELS + place * step for place, step in zip((index % COLUMNS, index // COLUMNS), cell, strict=True)
        )
        canvas.paste(ImageOps.fit(photograph(name), (SIDE_PIXELS, SIDE_PIXELS)), (left, top))
        best = record["predictions"][0]
        draw.text(
            (left + 2, top + SIDE_PIXELS + 4), f"{best['label'].split(',')[0]}, {best['score']:.0%}", "black", font
        )
    return canvas


def main() -> None:
    """Write the image."""
    sheet().save(image_folder(__doc__) / f"{NAME}.jpg", quality=88)


if __name__ == "__main__":
    main()
