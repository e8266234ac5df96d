"""Scenes on one page: each with its model and words above, and a caption below each image."""

from collections.abc import Iterable

from PIL import Image, ImageDraw, ImageFont

import zoo
from tools.demo_scenes import Scene

WIDTH = 1800  # pixels
HEIGHT = 250  # of an image
GAP = 12
TITLE, CAPTION = 24, 15  # sizes of the letters


def strip(scene: Scene) -> Image.Image:
    """One scene: its images at one height, side by side."""
    images = [image.convert("RGB") for image in scene.images.values()]
    images = [image.resize((round(image.width * HEIGHT / image.height), HEIGHT)) for image in images]
    title, words = ImageFont.load_default(TITLE), ImageFont.load_default(CAPTION)
    top = 2 * TITLE + CAPTION
    heading = f"{scene.model}: {zoo.info(scene.model).task.replace('-', ' ')}"
    needed = round(max(title.getlength(heading), words.getlength(scene.words)))
    width = max(sum(image.width for image in images) + GAP * (len(images) - 1), needed)
    page = Image.new("RGB", (width, top + HEIGHT + 2 * CAPTION), "white")
    draw, left = ImageDraw.Draw(page), 0
    draw.text((0, 0), heading, fill="black", font=title)
    draw.text((0, TITLE + 10), scene.words, fill="#444444", font=words)
    for caption, image in zip(scene.images, images, strict=True):
        page.paste(image, (left, top))
        draw.text((left, top + HEIGHT + 4), caption, fill="#444444", font=words)
        left += image.width + GAP
    return page


def sheet(scenes: Iterable[Scene]) -> Image.Image:
    """All scenes, in lines as wide as the page."""
    places, left, top, bottom = [], 2 * GAP, 2 * GAP, 0
    for image in map(strip, scenes):
        if left > 2 * GAP and left + image.width > WIDTH:
            left, top = 2 * GAP, bottom + 2 * GAP
        places.append((image, (left, top)))
        bottom = max(bottom, top + image.height)
        left += image.width + 4 * GAP
    width = max(left + image.width for image, (left, _) in places) + 2 * GAP
    page = Image.new("RGB", (width, bottom + GAP), "white")
    for image, place in places:
        page.paste(image, place)
    return page
