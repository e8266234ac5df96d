"""tools/demo_samples.py: the samples of the package are what it makes."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import zoo
from tools import demo_samples

SHIPPED = Path(zoo.__file__).parent / "demo" / "samples"


def test_the_samples_are_made_as_they_are_shipped(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["demo_samples", "--output", str(tmp_path)])
    demo_samples.main()
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in SHIPPED.iterdir()} - {"README.md"}
    for path in tmp_path.iterdir():
        made, shipped = (_array(folder / path.name) for folder in (tmp_path, SHIPPED))
        assert made.dtype == shipped.dtype
        # libjpeg rounds otherwise elsewhere
        np.testing.assert_allclose(made.astype(float), shipped.astype(float), atol=8 if path.suffix == ".jpg" else 0)


def _array(path: Path) -> np.ndarray:
    return np.load(path) if path.suffix == ".npy" else np.asarray(Image.open(path))
