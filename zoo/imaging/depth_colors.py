"""Depths as an image: near is bright and warm, far dark and cold, with the metres written below."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# Five colours of matplotlib's `inferno`, from far to near.
_STOPS = np.array([[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]], "float64")


def colors(shares: np.ndarray) -> np.ndarray:
    """Colours for numbers from 0 (far) to 1 (near): uint8 `(..., 3)`."""
    places = np.linspace(0, 1, len(_STOPS))
    channels = [np.interp(shares, places, _STOPS[:, channel]) for channel in range(3)]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)


def image(metres: np.ndarray) -> Image.Image:
    """Colour a map `(height, width)` by the inverse of its depths, from its 2nd to its 98th percentile.

    What is 0 or less stays black. The result is higher than the map by a legend.
    """
    known = metres > 0
    near, far = np.percentile(metres[known], (2, 98)) if known.any() else (1.0, 2.0)
    closeness = 1 / np.clip(metres, max(near, 1e-3), max(far, near + 1e-3))
    low, high = 1 / max(far, near + 1e-3), 1 / max(near, 1e-3)
    pixels = colors((closeness - low) / (high - low)) * known[..., None]
    legend = _legend(near, far, metres.shape[1])
    return Image.fromarray(np.concatenate([pixels.astype(np.uint8), np.asarray(legend)]))


def _legend(near: float, far: float, width: int) -> Image.Image:
    """A strip from near to far, its ends in metres."""
    size = max(10, width // 48)
    strip = Image.new("RGB", (width, 2 * size + size // 2), "white")
    ramp = np.tile(colors(np.linspace(1, 0, width))[None], (size, 1, 1))
    strip.paste(Image.fromarray(ramp), (0, 0))
    draw, font = ImageDraw.Draw(strip), ImageFont.load_default(size)
    middle = 2 / (1 / near + 1 / far)
    for place, depth, anchor in ((2, near, "la"), (width // 2, middle, "ma"), (width - 2, far, "ra")):
        draw.text((place, size), f"{depth:.1f} m", fill="black", font=font, anchor=anchor)
    return strip
