"""The recipe of the inpainting U-Nets that improve a fill by diffusion: what they train on, the loss, stopped runs."""

import numpy as np
import pytest
from PIL import Image

from recipes import inpainting
from recipes.irregular_masks import BINS, hole_percent


@pytest.fixture
def brief(monkeypatch):
    """A small network, three rounds of two steps."""
    monkeypatch.setattr(inpainting, "CONFIG", {"filters": (4, 4), "diffusion": True})
    monkeypatch.setattr(inpainting, "ROUNDS", {"pconv-unet": 3, "conv-unet": 3})
    for name, value in {"STEPS_PER_ROUND": 2, "BATCH_SIZE": 2, "MASKS_PER_RANGE": 1, "PATCH_PIXELS": 32}.items():
        monkeypatch.setattr(inpainting, name, value)
    inpainting.mask_bank.cache_clear()
    yield
    inpainting.mask_bank.cache_clear()


@pytest.fixture
def sets(tmp_path):
    for name, side in (("bsds400", 50), ("div2k-crops", 40)):
        (tmp_path / name).mkdir()
        Image.fromarray(np.full((side, side, 3), (10, 128, 250), "uint8")).save(tmp_path / name / "0.png")
    return tmp_path


def test_images_are_seen_at_every_size_that_a_patch_fits_into(brief, sets):
    assert [image.shape for image in inpainting.training_images(sets)] == [(50, 50, 3), (38, 38, 3), (40, 40, 3)]


def test_patches_come_with_holes_and_the_target_is_the_whole_patch(brief, sets):
    (images, masks), targets = inpainting.draw(inpainting.training_images(sets), np.random.default_rng(0))
    assert images.shape == (4, 32, 32, 3)
    np.testing.assert_array_equal(masks, targets[..., 3:])
    np.testing.assert_array_equal(images, targets[..., :3] * masks)
    assert targets.min() >= 0
    assert targets.max() <= 1
    for mask in masks:
        assert any(holes.low <= hole_percent(mask) <= holes.high for holes in BINS)


def test_the_loss_is_the_mean_of_the_holes_by_hand():
    target, output = np.zeros((2, 1, 4, 4), "float32"), np.zeros((2, 1, 4, 3), "float32")
    target[..., 3] = ([[1, 0, 0, 1]], [[0, 1, 1, 1]])
    output[0, 0, :] = np.array([0.9, 0.3, 0.1, 0.9])[:, None]  # what is valid does not count
    output[1, 0, :] = 0.5
    smooth = inpainting.SMOOTH
    errors = [np.sqrt(error**2 + smooth**2) - smooth for error in (0.3, 0.1, 0.5)]
    assert float(inpainting.inpainting_loss(target, output)) == pytest.approx((np.mean(errors[:2]) + errors[2]) / 2)


@pytest.mark.slow  # three trainings; test_blurnet.py and test_training_run.py have a quick one
def test_a_stopped_run_resumes_and_ends_like_an_unbroken_one(brief, sets, unbroken_and_resumed):
    (unbroken, _), (resumed, _) = unbroken_and_resumed(lambda state: inpainting.train("pconv-unet", sets, state))
    for ours, theirs in zip(resumed.variables, unbroken.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
