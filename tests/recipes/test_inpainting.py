"""The recipe of the inpainting U-Nets that improve a fill by diffusion: what they train on, the loss, stopped runs."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from recipes import inpainting, pconv_unet_image
from recipes.irregular_masks import BINS, hole_percent, irregular_mask
from recipes.photographs import HELD_OUT, TRAINING, photograph
from recipes.training_run import filled
from zoo.architectures import pconv_unet


@pytest.fixture
def brief(monkeypatch):
    """A small network, two parts of two rounds of two steps."""
    for name, value in {"STEPS_PER_ROUND": 2, "BATCH_SIZE": 2, "MASKS_PER_RANGE": 1, "PATCH_PIXELS": 32}.items():
        monkeypatch.setattr(inpainting, name, value)
    inpainting.mask_bank.cache_clear()
    yield inpainting.TAGS["research"]._replace(filters=(4, 4), rounds=(2, 2))
    inpainting.mask_bank.cache_clear()


@pytest.fixture
def sets(tmp_path):
    for name, side in (("bsds400", 50), ("div2k-crops", 40)):
        (tmp_path / name).mkdir()
        Image.fromarray(np.full((side, side, 3), (10, 128, 250), "uint8")).save(tmp_path / name / "0.png")
    return tmp_path


def test_images_are_seen_at_every_size_that_a_patch_fits_into(brief, sets):
    assert [image.shape for image in inpainting.training_images(brief.sets, sets)] == [
        (50, 50, 3),
        (38, 38, 3),
        (40, 40, 3),
    ]


def test_patches_come_with_holes_and_the_target_is_the_whole_patch(brief, sets):
    (images, masks), targets = inpainting.draw(inpainting.training_images(brief.sets, sets), np.random.default_rng(0))
    assert images.shape == (4, 32, 32, 3)
    np.testing.assert_array_equal(masks, targets[..., 3:])
    np.testing.assert_array_equal(images, targets[..., :3] * masks)
    assert targets.min() >= 0
    assert targets.max() <= 1
    for mask in masks:
        assert any(holes.low <= hole_percent(mask) <= holes.high for holes in BINS)


def test_images_for_research_have_to_be_given_and_photographs_are_there(brief):
    with pytest.raises(SystemExit, match=r"bsds400, div2k-crops\. Give the folder that contains them with --sets"):
        inpainting.training_images(brief.sets, None)
    assert not set(TRAINING) & set(HELD_OUT)
    assert len(inpainting.training_images((), None)) == len(TRAINING) * len(inpainting.SHRINKS)


def test_a_patch_is_a_place_of_the_photograph_with_less_contrast():
    photo = np.random.default_rng(1).integers(256, size=(96, 96, 3), dtype="uint8")
    patch = inpainting.recoloured(photo, np.random.default_rng(0))
    turned = [np.rot90(photo, turns)[:, ::step] for turns in range(4) for step in (1, -1)]

    def correlation(one, other):
        return np.corrcoef(one.ravel(), other.ravel())[0, 1]

    best = [max(correlation(patch[..., i], t[..., j]) for t in turned for j in range(3)) for i in range(3)]
    np.testing.assert_allclose(best, 1, atol=1e-6)
    spans = np.ptp(patch, axis=(0, 1))
    assert ((spans > 0.59) & (spans <= 1)).all()


def test_the_losses_are_means_of_the_holes_by_hand():
    target, output = np.zeros((2, 1, 4, 4), "float32"), np.zeros((2, 1, 4, 3), "float32")
    target[..., 3] = ([[1, 0, 0, 1]], [[0, 1, 1, 1]])
    output[0, 0, :] = np.array([0.9, 0.3, 0.1, 0.9])[:, None]  # what is valid does not count
    output[1, 0, :] = 0.5
    smooth = inpainting.SMOOTH
    errors = [np.sqrt(error**2 + smooth**2) - smooth for error in (0.3, 0.1, 0.5)]
    assert float(inpainting.charbonnier(target, output)) == pytest.approx((np.mean(errors[:2]) + errors[2]) / 2)
    squares = np.array([(0.3**2 + 0.1**2) / 2, 0.5**2]) + inpainting.LEAST_ERROR
    assert float(inpainting.log_error(target, output)) == pytest.approx(np.log(squares).mean())


@pytest.mark.slow  # three trainings; test_blurnet.py and test_training_run.py have a quick one
def test_a_stopped_run_resumes_and_ends_like_an_unbroken_one(brief, sets, unbroken_and_resumed):
    (unbroken, _), (resumed, _) = unbroken_and_resumed(lambda state: inpainting.train("pconv-unet", brief, sets, state))
    assert resumed.read_bytes() == unbroken.read_bytes()


CHECKPOINTS = Path(zoo.__file__).parent / "checkpoints"
SHIPPED = {tag: f"pconv-unet{how.suffix}" for tag, how in inpainting.TAGS.items()}


def report_of(tag):
    return json.loads((CHECKPOINTS / f"{SHIPPED[tag]}.json").read_text())


@pytest.mark.parametrize("tag", SHIPPED)
def test_what_is_shipped_is_ahead_of_what_learns_nothing_in_every_range(tag):
    report = report_of(tag)
    for masks in ("recipe_masks", "nvidia_masks"):
        for measure in ("psnr", "ssim"):
            table = report[f"{masks}_{measure}"]
            ours = table[f"pconv-unet.{tag}"]
            for name in ("biharmonic", "Telea", "Navier-Stokes", "diffusion"):
                ranges = [column for column in ours if column != "seconds"]
                assert all(ours[column] > table[name][column] for column in ranges), (masks, measure, name)


@pytest.mark.parametrize("tag", SHIPPED)
def test_the_registry_repeats_what_was_measured_and_the_recipe_how_it_was_trained(tag):
    report, how = report_of(tag), inpainting.TAGS[tag]
    found = {}
    for prefix, name in (("", f"pconv-unet.{tag}"), ("biharmonic_", "biharmonic")):
        for key, measure in (("psnr_db", "psnr"), ("ssim", "ssim")):
            row = report[f"recipe_masks_{measure}"][name]
            values = [value for column, value in row.items() if column != "seconds"]
            found[prefix + key] = pytest.approx(np.mean(values), abs=1e-3)
    entry = zoo.info(f"pconv-unet.{tag}")
    assert entry.metrics == found
    assert report["training_steps"] == sum(how.rounds) * inpainting.STEPS_PER_ROUND
    assert {**entry.config, "filters": tuple(entry.config["filters"])} == how.config


@pytest.mark.slow  # trains
def test_the_registry_loads_the_network_that_was_trained():
    entry, config = zoo.info("pconv-unet.photos"), inpainting.TAGS["photos"].config
    photo = np.asarray(photograph(HELD_OUT[0]).crop((0, 0, 128, 128)), "float32")[None]
    masks = irregular_mask(128, 128, BINS[2], np.random.default_rng(0))[None].astype("float32")
    whole = inpainting.from_image_and_mask(functools.partial(pconv_unet.pconv_unet, **config))
    recipes = filled(whole, CHECKPOINTS / entry.filename).predict([photo * masks / 255, masks], verbose=0)
    loaded = zoo.load(entry.name).predict({"image": photo * masks, "mask": masks}, verbose=0)
    np.testing.assert_allclose(loaded, recipes, atol=0.01)


@pytest.mark.slow  # draws the image again; test_coordconv.py has a quick one
def test_the_image_of_the_cards_shows_the_predictions():
    with Image.open(CHECKPOINTS.parent / "model_cards" / "pconv-unet.png") as image:
        checked_in = np.asarray(image.convert("RGB"), "float32")
    drawn = np.asarray(pconv_unet_image.sheet(), "float32")
    assert drawn.shape == checked_in.shape
    # Another processor may round a pixel to the next level.
    assert np.abs(drawn - checked_in).max() <= 2, "run: python -m recipes.pconv_unet_image"
