"""tools/docs_images.py: the images of the pages about layers are what the layers return today."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SHIPPED = Path(__file__).parents[2] / "docs" / "layers"


@pytest.mark.slow  # draws all of them; tests/layers has the layers themselves
def test_the_images_are_drawn_as_they_are_shipped(tmp_path, monkeypatch):
    from tools import docs_images

    monkeypatch.setattr(sys, "argv", ["docs_images", "--output", str(tmp_path)])
    docs_images.main()
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in SHIPPED.glob("*.png")}
    for path in tmp_path.iterdir():
        made, shipped = (
            np.asarray(Image.open(folder / path.name).convert("L"), "float32") for folder in (tmp_path, SHIPPED)
        )
        assert made.shape == shipped.shape, path.name
        assert np.abs(made - shipped).mean() < 2, path.name  # of 255: fonts and rounding differ from machine to machine


def grey(path):
    return np.asarray(Image.open(path).convert("L"), "float32")
