"""The images of the cards of SegNet and FCN are what the models answer."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from recipes import segmentation_images

CARDS = Path(zoo.__file__).parent / "model_cards"


@pytest.mark.slow  # draws the image again; test_coordconv.py has a quick one
@pytest.mark.parametrize("file", segmentation_images.SHEETS)
def test_the_image_of_the_card_shows_the_predictions(file):
    with Image.open(CARDS / f"{file}.png") as image:
        checked_in = np.asarray(image.convert("RGB")).astype(int)
    drawn = np.asarray(segmentation_images.sheet(segmentation_images.SHEETS[file])).astype(int)
    assert drawn.shape == checked_in.shape
    # Where two classes are all but equally likely, another processor may answer the other one.
    assert np.mean(np.abs(drawn - checked_in) > 8) < 1e-2, "run: python -m recipes.segmentation_images"
