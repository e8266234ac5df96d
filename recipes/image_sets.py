"""What inpainting and super-resolution learn from: image sets for research use, or the photographs of two packages."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from recipes.photographs import TRAINING, photograph


def images(sets: tuple[str, ...], data: Path | None) -> Iterator[Image.Image]:
    """As RGB: those of the folders `sets` in `data`; without sets the photographs of scikit-image and scikit-learn."""
    if not sets:
        yield from map(photograph, TRAINING)
    elif data is None:
        raise SystemExit(f"This tag learns from {', '.join(sets)}. Give the folder that contains them with --sets.")
    else:
        paths = [path for name in sets for path in sorted((data / name).iterdir())]
        yield from (Image.open(path).convert("RGB") for path in paths if path.suffix in (".png", ".jpg"))
