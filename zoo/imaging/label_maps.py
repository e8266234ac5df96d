"""From the logits of a semantic segmentation to a label map, the areas of its classes, and an image that shows it."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from zoo.labels import label_at


def label_map(logits: np.ndarray, height: int, width: int) -> np.ndarray:
    """The best class of each pixel: logits `(h, w, classes)` are enlarged bilinearly, then compared.

    A single logit is that of class 1, against 0.

    Returns:
        uint8 `(height, width)`; uint16 where there are more than 256 classes.
    """
    import keras  # here, not above: `zoo info` and the cards know this task and need no Keras

    logits = of_two_classes(logits)
    enlarged = keras.ops.image.resize(logits, (height, width), interpolation="bilinear", data_format="channels_last")
    return np.argmax(keras.ops.convert_to_numpy(enlarged), axis=-1).astype(np.min_scalar_type(logits.shape[-1] - 1))


def of_two_classes(logits: Any) -> Any:
    """Logits of a class or none, `(..., 1)`, beside zeros for none, `(..., 2)`: the softmax of both is its sigmoid.
    Those of more classes stay as they are."""
    import keras

    if logits.shape[-1] != 1:
        return logits
    return keras.ops.concatenate([keras.ops.zeros_like(logits), logits], axis=-1)


def areas(classes: np.ndarray, names: tuple[str, ...] | None) -> list[dict]:
    """The classes in a map, largest first: `{"index": int, "label": str or None, "area": share of the pixels}`."""
    indices, counts = np.unique(classes, return_counts=True)
    return [
        {
            "index": int(indices[position]),
            "label": label_at(names, int(indices[position])),
            "area": round(float(counts[position] / classes.size), 6),
        }
        for position in np.argsort(-counts, kind="stable")
    ]


def colors(count: int) -> np.ndarray:
    """Pascal VOC's colours, uint8 `(count, 3)`: the bits of the class are distributed to red, green and blue in
    turn."""
    index = np.arange(count)[:, None]
    palette = np.zeros((count, 3), np.uint8)
    for bit in range(8):
        palette |= ((index >> (3 * bit + np.arange(3)) & 1) << (7 - bit)).astype(np.uint8)
    return palette


def overlay(image: np.ndarray, classes: np.ndarray, found: list[dict]) -> Image.Image:
    """The image, half covered by the colours of the classes `found` in it, and below it what the colours mean.

    Background stays uncovered. The result is as wide as the image, and higher by the legend. Of an image of many
    bands the first three are shown, of fewer the first in grey.
    """
    image = image[..., :3] if image.shape[-1] >= 3 else image[..., :1].repeat(3, axis=-1)
    palette = colors(max(entry["index"] for entry in found) + 1)
    covered = (image // 2 + palette[classes] // 2).astype(np.uint8)
    background = [entry["index"] for entry in found if entry["label"] == "background"]
    covered = np.where(np.isin(classes, background)[..., None], image, covered)
    legend = _legend([entry for entry in found if entry["index"] not in background], palette, image.shape[1])
    return Image.fromarray(np.concatenate([covered, np.asarray(legend)]))


def _legend(found: list[dict], palette: np.ndarray, width: int) -> Image.Image:
    """A white strip with a square of its colour, name and area for each class, in lines that fit into `width`."""
    size = max(10, width // 36)
    line, font = 2 * size, ImageFont.load_default(size)
    texts = [f"{entry['label'] or entry['index']} {100 * entry['area']:.1f} %" for entry in found]
    left, top, places = size, 0, []
    for text in texts:
        needed = round(font.getlength(text)) + 3 * size
        if left > size and left + needed > width:
            left, top = size, top + line
        places.append((left, top))
        left += needed
    strip = Image.new("RGB", (width, top + line if texts else 0), "white")
    draw = ImageDraw.Draw(strip)
    for entry, text, (left, top) in zip(found, texts, places, strict=True):
        color = tuple(palette[entry["index"]].tolist())
        draw.rectangle((left, top + size // 2, left + size, top + size // 2 + size), fill=color, outline="black")
        draw.text((left + round(1.5 * size), top + line // 2), text, fill="black", font=font, anchor="lm")
    return strip
