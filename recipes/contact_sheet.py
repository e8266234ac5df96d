"""Scenes on one page: each with its model and words above, and a caption below each picture."""

from collections.abc import Iterable

from PIL import Image, ImageDraw, ImageFont

import zoo
from recipes.demo_scenes import Scene

WIDTH = 1800  # pixels
HEIGHT = 250  # of a picture
GAP = 12
TITLE, CAPTION = 24, 15  # sizes of the letters


def strip(scene: Scene) -> Image.Image:
    """One scene: its pictures at one height, side by side."""
    pictures = [picture.convert("RGB") for picture in scene.pictures.values()]
    pictures = [picture.resize((round(picture.width * HEIGHT / picture.height), HEIGHT)) for picture in pictures]
    title, words = ImageFont.load_default(TITLE), ImageFont.load_default(CAPTION)
    top = 2 * TITLE + CAPTION
    heading = f"{scene.model}: {zoo.info(scene.model).task.replace('-', ' ')}"
    needed = round(max(title.getlength(heading), words.getlength(scene.words)))
    width = max(sum(picture.width for picture in pictures) + GAP * (len(pictures) - 1), needed)
    page = Image.new("RGB", (width, top + HEIGHT + 2 * CAPTION), "white")
    draw, left = ImageDraw.Draw(page), 0
    draw.text((0, 0), heading, fill="black", font=title)
    draw.text((0, TITLE + 10), scene.words, fill="#444444", font=words)
    for caption, picture in zip(scene.pictures, pictures, strict=True):
        page.paste(picture, (left, top))
        draw.text((left, top + HEIGHT + 4), caption, fill="#444444", font=words)
        left += picture.width + GAP
    return page


def sheet(scenes: Iterable[Scene]) -> Image.Image:
    """All scenes, in lines as wide as the page."""
    places, left, top, bottom = [], 2 * GAP, 2 * GAP, 0
    for picture in map(strip, scenes):
        if left > 2 * GAP and left + picture.width > WIDTH:
            left, top = 2 * GAP, bottom + 2 * GAP
        places.append((picture, (left, top)))
        bottom = max(bottom, top + picture.height)
        left += picture.width + 4 * GAP
    width = max(left + picture.width for picture, (left, _) in places) + 2 * GAP
    page = Image.new("RGB", (width, bottom + GAP), "white")
    for picture, place in places:
        page.paste(picture, place)
    return page
