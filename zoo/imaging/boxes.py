"""From the boxes of a detector to those of the whole image, and an image that shows them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from zoo.catalogue.entry import Input
from zoo.imaging.label_maps import colors
from zoo.imaging.preprocessing import whole_size


def in_whole(boxes: np.ndarray, size: tuple[int, int], spec: Input) -> np.ndarray:
    """Boxes `(count, 4)` in pixels of what the model saw, in pixels of the whole image, of width and height `size`.

    They end at its border: what a letter-boxed image stands on is not part of it.
    """
    return np.clip(boxes * scale_to_whole(size, spec), 0, np.tile(size, 2)).astype("float32")


def scale_to_whole(size: tuple[int, int], spec: Input) -> np.ndarray:
    """By what x1, y1, x2 and y2 in pixels of what the model saw are multiplied, `(4,)`, for an image of this size."""
    if spec.crop_mode == "letterbox" and spec.size is not None:
        return np.full(4, 1 / min(spec.size / size[0], spec.size / size[1]))
    return np.tile(np.divide(size, whole_size(size, spec)), 2)


def shown(image: Image.Image, found: Sequence[dict[str, Any]]) -> Image.Image:
    """The image with boxes, each in its class's colour, with its name and score; the best is drawn last."""
    image = image.copy()
    draw, width = ImageDraw.Draw(image), max(2, round(max(image.size) / 400))
    font = ImageFont.load_default(max(10, round(max(image.size) / 50)))
    palette = colors(max((item["index"] for item in found), default=0) + 2)
    for item in reversed(found):
        color, (left, top, right, bottom) = tuple(palette[item["index"] + 1].tolist()), item["box"]
        draw.rectangle((left, top, max(left, right), max(top, bottom)), outline=color, width=width)
        text = f"{item['label'] or item['index']} {item['score']:.0%}"
        _, _, right, bottom = draw.textbbox((0, 0), text, font=font)
        above = max(0, top - bottom - width)
        draw.rectangle((left, above, left + right + 2 * width, above + bottom + width), fill=color)
        draw.text((left + width, above), text, fill="black" if sum(color) > 382 else "white", font=font)
    return image
