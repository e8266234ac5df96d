"""Enlarge real photographs that the model was not trained on, beside the bicubic enlargement: offline, one command.

python recipes/demo.py [--output demo]
"""

import argparse
from pathlib import Path

from PIL import Image, ImageDraw

import zoo
from recipes.photographs import HELD_OUT, bicubic, degrade, luma_psnr, photograph
from zoo.quiet import import_keras_quietly

SCALE = 2
CROP_PIXELS = 200


def sheet(large: Image.Image, enlargements: dict[str, Image.Image]) -> Image.Image:
    """The same detail of each picture, three times as large, side by side under its name."""
    left, top = (large.width - CROP_PIXELS) // 2, (large.height - CROP_PIXELS) // 2
    side = 3 * CROP_PIXELS
    pictures = {**enlargements, "original": large}
    page = Image.new("RGB", (len(pictures) * (side + 10) - 10, side + 30), "white")
    draw = ImageDraw.Draw(page)
    for index, (name, picture) in enumerate(pictures.items()):
        detail = picture.crop((left, top, left + CROP_PIXELS, top + CROP_PIXELS))
        page.paste(detail.resize((side, side), Image.Resampling.NEAREST), (index * (side + 10), 30))
        draw.text((index * (side + 10) + 6, 6), name, fill="black", font_size=16)
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description="Enlarge photographs that were not trained on.")
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder for the pictures")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    import_keras_quietly()
    model = zoo.load("espcn-x2")
    gains = []
    print(f"{'photograph':<14}{'bicubic':>12}{'espcn-x2':>12}{'gain':>12}")
    for name in HELD_OUT:
        large, small = degrade(photograph(name), SCALE)
        ours, theirs = zoo.predict(model, small)[0].picture, bicubic(small, SCALE)
        scores = [luma_psnr(picture, large, border=SCALE) for picture in (theirs, ours)]
        gains.append(scores[1] - scores[0])
        print(f"{name:<14}{scores[0]:>9.2f} dB{scores[1]:>9.2f} dB{gains[-1]:>+9.2f} dB")
        stem = Path(name).stem
        ours.save(folder / f"{stem}-espcn-x2.png")
        theirs.save(folder / f"{stem}-bicubic.png")
        titles = [f"bicubic, {scores[0]:.2f} dB", f"espcn-x2, {scores[1]:.2f} dB"]
        sheet(large, dict(zip(titles, (theirs, ours), strict=True))).save(folder / f"{stem}-compared.png")
    print(f"{'mean':<38}{sum(gains) / len(gains):>+9.2f} dB   (PSNR on luma; goal: +1.20 dB)")
    print(f"pictures: {folder}/*-compared.png, and each enlargement beside them")


if __name__ == "__main__":
    main()
