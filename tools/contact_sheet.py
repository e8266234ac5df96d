"""Scenes on one page, in rows as wide as the page: each scene with its model and words above, captions below."""

from collections.abc import Iterable, Sequence

from PIL import Image, ImageDraw, ImageFont

import zoo
from tools.demo_scenes import Scene

WIDTH = 1800  # pixels
MARGIN, GAP, SCENE_GAP = 24, 12, 48
TITLE, CAPTION = 24, 15  # sizes of the letters
HEADING = 2 * TITLE + CAPTION  # pixels above the images
FOOT = 2 * CAPTION  # pixels below them


def row(scenes: Sequence[Scene]) -> Image.Image:
    """Scenes side by side, all images of one height: `WIDTH` pixels together."""
    images = [image for scene in scenes for image in scene.images.values()]
    gaps = SCENE_GAP * (len(scenes) - 1) + GAP * (len(images) - len(scenes))
    height = int((WIDTH - 2 * MARGIN - gaps) / sum(image.width / image.height for image in images))
    page = Image.new("RGB", (WIDTH, HEADING + height + FOOT), "white")
    left = MARGIN
    for scene in scenes:
        left = _place(scene, page, left, height) + SCENE_GAP
    return page


def _place(scene: Scene, page: Image.Image, left: int, height: int) -> int:
    """Draw a scene from `left` on; returns where it ends."""
    draw, words = ImageDraw.Draw(page), ImageFont.load_default(CAPTION)
    heading = f"{scene.model}: {zoo.info(scene.model).task.replace('-', ' ')}"
    draw.text((left, 0), heading, "black", ImageFont.load_default(TITLE))
    draw.text((left, TITLE + 10), scene.words, "#444444", words)
    for caption, image in scene.images.items():
        shown = image.convert("RGB").resize((round(image.width * height / image.height), height))
        page.paste(shown, (left, HEADING))
        draw.text((left, HEADING + height + 4), caption, "#444444", words)
        left += shown.width + GAP
    return left - GAP


def sheet(rows: Iterable[Sequence[Scene]]) -> Image.Image:
    """The rows below one another."""
    strips = [row(scenes) for scenes in rows]
    height = MARGIN + sum(strip.height + MARGIN for strip in strips)
    page, top = Image.new("RGB", (WIDTH, height), "white"), MARGIN
    for strip in strips:
        page.paste(strip, (0, top))
        top += strip.height + MARGIN
    return page
