"""Irregular holes for images, drawn at random: strokes that wander, dots and ellipses, until they cover enough; clouds.

A mask is 1 where the image is valid and 0 in the hole.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

SHRINK = 0.8  # of all further shapes, after one that covered too much
SMALLEST_SCALE = 0.1  # below it the last pixels are not worth the trouble
SMALLEST_SIDE = 16  # in pixels; on fewer, a dot more may be too many


class Bin(NamedTuple):
    """A range of hole ratios: from how many percent of the image's pixels to how many are lost."""

    low: int
    high: int


# The six of the paper, section 4.1
BINS = tuple(Bin(low, high) for low, high in ((1, 10), (10, 20), (20, 30), (30, 40), (40, 50), (50, 60)))


def hole_percent(mask: np.ndarray) -> float:
    """How many of the pixels are lost, in %."""
    return 100 * float(np.mean(mask == 0))


def irregular_mask(height: int, width: int, holes: Bin, generator: np.random.Generator) -> np.ndarray:
    """Draw a mask with a hole ratio inside of `holes`: uint8, `(height, width, 1)`, 1 is valid.

    Holes may touch the border. `generator` alone decides, so that a seed repeats the mask.

    Raises:
        ValueError: A side is below 16 pixels.
    """
    if min(height, width) < SMALLEST_SIDE:
        raise ValueError(f"A mask needs sides of at least {SMALLEST_SIDE} pixels. Received: {height} x {width}.")
    canvas = Image.new("1", (width, height), 1)
    wanted, scale, percent = generator.uniform(holes.low, holes.high), 1.0, 0.0
    while percent < holes.low or (percent < wanted and scale > SMALLEST_SCALE):
        tried = canvas.copy()
        draw_shape(tried, scale, generator)
        if hole_percent(np.asarray(tried)) <= holes.high:
            canvas, percent = tried, hole_percent(np.asarray(tried))
        else:
            scale *= SHRINK
    return np.asarray(canvas).astype("uint8")[..., None]


def cloud_mask(height: int, width: int, holes: Bin, generator: np.random.Generator) -> np.ndarray:
    """Smooth noise, a hole where it is lowest, with a hole ratio inside of `holes`: uint8, `(height, width, 1)`.

    Its holes are compact, from many small ones to one large one, as strokes never are.
    """
    cells = generator.integers(2, 13)
    noise = Image.fromarray(generator.normal(size=(cells, cells)).astype("float32"))
    smooth = np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC))
    return (smooth > np.quantile(smooth, generator.uniform(holes.low, holes.high) / 100)).astype("uint8")[..., None]


def draw_shape(canvas: Image.Image, scale: float, generator: np.random.Generator) -> None:
    """Draw one hole, in place: four of five are strokes. `scale` of 1 goes with the size of the canvas."""
    side = scale * min(canvas.size)
    if generator.uniform() < 0.8:
        stroke(canvas, side, generator)
    else:
        ellipse(canvas, side, generator)


def stroke(canvas: Image.Image, side: float, generator: np.random.Generator) -> None:
    """A walk of straight pieces and round joints that turns little at each."""
    pen = ImageDraw.Draw(canvas)
    thickness = max(1, round(side * generator.uniform(0.015, 0.1)))
    x, y = generator.uniform((0, 0), canvas.size)
    direction = generator.uniform(0, 2 * np.pi)
    for _ in range(generator.integers(2, 9)):
        direction += generator.normal(0, 0.7)
        length = side * generator.uniform(0.03, 0.2)
        start, x, y = (x, y), x + length * np.cos(direction), y + length * np.sin(direction)
        pen.line((*start, x, y), fill=0, width=thickness)
        radius = (thickness - 1) / 2
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)


def ellipse(canvas: Image.Image, side: float, generator: np.random.Generator) -> None:
    """From a dot to a spot of a quarter of the side."""
    x, y = generator.uniform((0, 0), canvas.size)
    across, down = side * generator.uniform(0.01, 0.12, size=2)
    ImageDraw.Draw(canvas).ellipse((x - across, y - down, x + across, y + down), fill=0)
