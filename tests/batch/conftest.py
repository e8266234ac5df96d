"""Two thousand small photographs and twenty files that are none, and what `zoo.predict_files` makes of them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo

GOOD, BROKEN = 2000, 20


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """`photos/NAME.jpg` and `photos/more/NAME.jpg`, every hundredth broken: cut off, or text."""
    root = tmp_path_factory.mktemp("batch") / "photos"
    (root / "more").mkdir(parents=True)
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 255, (GOOD, 16, 20, 3), dtype="uint8")
    for index in range(GOOD):
        Image.fromarray(pixels[index]).save(root / ("more" if index % 3 == 0 else "") / f"{index:05}.jpg")
    for index in range(0, GOOD, GOOD // BROKEN):
        whole = next(root.rglob(f"{index:05}.jpg")).read_bytes()
        content = b"no image" if index % 200 else whole[: len(whole) // 2]
        (root / f"{index:05}-broken.jpg").write_bytes(content)
    return root


@pytest.fixture(scope="session")
def model():
    return zoo.load("blurnet-textures")


@pytest.fixture(scope="session")
def whole(model, photos) -> Path:
    """What comes out where nothing goes wrong. Its folder contains nothing else."""
    path = photos.parent / "whole" / "predictions.parquet"
    zoo.predict_files(model, photos, path)
    return path
