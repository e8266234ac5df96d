"""The pictures of the cards of SegNet and FCN are what the models answer."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from recipes import segmentation_pictures

CARDS = Path(zoo.__file__).parent / "model_cards"


@pytest.mark.parametrize("file", segmentation_pictures.SHEETS)
def test_the_picture_of_the_card_is_what_the_models_answer(file):
    with Image.open(CARDS / f"{file}.png") as picture:
        checked_in = np.asarray(picture.convert("RGB")).astype(int)
    drawn = np.asarray(segmentation_pictures.sheet(segmentation_pictures.SHEETS[file])).astype(int)
    assert drawn.shape == checked_in.shape
    # Where two classes are all but equally likely, another processor may answer the other one.
    assert np.mean(np.abs(drawn - checked_in) > 8) < 1e-2, "run: python -m recipes.segmentation_pictures"
