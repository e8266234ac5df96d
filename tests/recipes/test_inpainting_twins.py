"""The comparison of the inpainting twins: what it prints is what it measured, and it resumes."""

import json

import numpy as np
import pytest
from PIL import Image

from recipes import inpainting, inpainting_twins, papers_inpainting


@pytest.fixture
def sets(tmp_path, monkeypatch):
    for name, value in {"STEPS_PER_ROUND": 2, "BATCH_SIZE": 2, "MASKS_PER_RANGE": 1, "PATCH_PIXELS": 32}.items():
        monkeypatch.setattr(inpainting, name, value)
    monkeypatch.setattr(inpainting_twins, "CONFIG", {"filters": (4, 4), "diffusion": True})
    monkeypatch.setattr(inpainting_twins, "BINS", inpainting_twins.BINS[:1])
    for name, value in {"COUNT": 1, "SIDE": 64}.items():
        monkeypatch.setattr(papers_inpainting, name, value)
    generator = np.random.default_rng(0)
    for name in ("bsds400", "div2k-crops", "bsd100"):
        folder = tmp_path / "superres" / name
        folder.mkdir(parents=True)
        Image.fromarray(generator.integers(256, size=(64, 64, 3), dtype="uint8")).save(folder / "0.png")
    inpainting.mask_bank.cache_clear()
    yield tmp_path
    inpainting.mask_bank.cache_clear()


@pytest.mark.slow  # two trainings, short ones
def test_both_twins_are_trained_and_what_is_measured_is_not_trained_again(sets, monkeypatch, capsys):
    monkeypatch.setattr(
        "sys.argv", ["twins", f"{sets}", "--steps", "2", "--seeds", "1", "--state", f"{sets / 'state'}"]
    )
    inpainting_twins.main()
    scores = json.loads((sets / "state" / "inpainting-twins-2.json").read_text())["0"]
    assert set(scores) == {"pconv-unet", "conv-unet"}
    partial, plain = scores["pconv-unet"], scores["conv-unet"]
    first = capsys.readouterr().out
    assert first.splitlines()[-1] == f"| 0 | {partial:.2f} | {plain:.2f} | {partial - plain:+.2f} |"
    monkeypatch.setattr(inpainting_twins, "trained", None)
    inpainting_twins.main()
    assert capsys.readouterr().out == first
