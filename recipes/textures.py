"""Patches of textures, cut from photographs that are inside the packages scikit-image and scikit-learn.

The package needs its extra `train`. Nothing is downloaded. All is turned to grey, as half of the photographs are
already: else the others would be known by their colour.
"""

import itertools
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from recipes.photographs import photograph

PATCH = 32  # pixels per side
SHIFTS = 8  # places along each axis where a patch may lie in its window: as many as three halvings can tell apart
WINDOW = PATCH + SHIFTS - 1  # pixels per side
SCALES = (1.0, 0.75)  # each photograph at its own size, and smaller
STRIPS = 4
Split = Literal["train", "test"]
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels


class Region(NamedTuple):
    """Where in a photograph a texture lies."""

    file: str
    box: Box


TEXTURES = {
    "bricks": Region("brick.png", (0, 0, 512, 512)),
    "coins": Region("coins.png", (0, 0, 384, 303)),
    "fur": Region("chelsea.png", (100, 0, 330, 78)),
    "galaxies": Region("hubble_deep_field.jpg", (0, 0, 1000, 872)),
    "grass": Region("grass.png", (0, 0, 512, 512)),
    "gravel": Region("gravel.png", (0, 0, 512, 512)),
    "lawn": Region("camera.png", (392, 290, 512, 512)),
    "petals": Region("flower.jpg", (230, 88, 430, 304)),
    "tissue": Region("ihc.png", (0, 0, 512, 512)),
    "trees": Region("china.jpg", (420, 300, 640, 427)),
}
LABELS = tuple(TEXTURES)


def strips(box: Box, split: Split) -> list[Box]:
    """The parts of a region to train on, or to test on: the first and third, or the second and fourth of four strips.

    They cross its longer side. Light and focus change over a photograph: two halves would differ more.
    """
    left, top, right, bottom = box
    is_wide = right - left >= bottom - top
    edges = np.linspace(*((left, right) if is_wide else (top, bottom)), STRIPS + 1).astype(int).tolist()
    spans = list(itertools.pairwise(edges))[0 if split == "train" else 1 :: 2]
    return [(first, top, last, bottom) if is_wide else (left, first, right, last) for first, last in spans]


def planes(split: Split) -> list[list[np.ndarray]]:
    """Of each texture the grey levels of each strip at each scale: uint8, `(height, width)`."""
    textures = []
    for region in TEXTURES.values():
        grey = photograph(region.file).convert("L")
        parts = [grey.crop(box) for box in strips(region.box, split)]
        textures.append([np.asarray(shrunk(part, scale)) for part in parts for scale in SCALES])
    return textures


def shrunk(image: Image.Image, scale: float) -> Image.Image:
    """`scale` times as high and wide."""
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)


def windows(
    textures: list[list[np.ndarray]], count: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Windows from anywhere, each plane of a texture as likely as another: `(count, 39, 39)`, uint8; labels, int32."""
    labels = generator.integers(len(textures), size=count)
    pixels = np.empty((count, WINDOW, WINDOW), "uint8")
    for window, label in zip(pixels, labels, strict=True):
        plane = textures[label][generator.integers(len(textures[label]))]
        top, left = (generator.integers(side - WINDOW + 1) for side in plane.shape)
        window[:] = plane[top : top + WINDOW, left : left + WINDOW]
    return pixels, labels.astype("int32")


def shifted(pixels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A patch from each window, at a random shift: RGB, uint8, `(count, 39, 39)` -> `(count, 32, 32, 3)`."""
    places = np.lib.stride_tricks.sliding_window_view(pixels, (PATCH, PATCH), axis=(1, 2))
    rows, columns = generator.integers(SHIFTS, size=(2, len(pixels)))
    return np.repeat(places[np.arange(len(pixels)), rows, columns][..., None], 3, axis=-1)
