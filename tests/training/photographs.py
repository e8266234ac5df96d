"""Photographs to train on, made here: flat colours under noise."""

from pathlib import Path

import numpy as np
from PIL import Image

COLORS = {"blue": (40, 60, 200), "green": (40, 200, 60), "red": (200, 60, 40)}


def write_photographs(root: Path, counts: dict[str, int], side: int = 16) -> Path:
    """`root/CLASS/NAME.png`, so many of each class."""
    generator = np.random.default_rng(0)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for index in range(count):
            pixels = np.clip(np.array(COLORS[name]) + generator.normal(0, 50, (side, side, 3)), 0, 255)
            Image.fromarray(pixels.astype("uint8")).save(root / name / f"{index}.png")
    return root
