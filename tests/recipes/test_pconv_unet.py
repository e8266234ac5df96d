"""The recipe of the inpainting U-Nets: what they train on, stopped runs, and that the checkpoints score as reported."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from recipes import pconv_unet, pconv_unet_image
from recipes.inpainting_scores import METRIC, biharmonic, compare, score, tile_masks, tiles
from recipes.irregular_masks import BINS, hole_percent
from recipes.photographs import HELD_OUT, TRAINING
from recipes.training_run import filled
from tests.slow import first_of_each
from zoo.architectures.pconv_unet import partial_image

CHECKPOINTS = Path(zoo.__file__).parent / "checkpoints"


def report_of(name):
    return json.loads((CHECKPOINTS / f"{name}.json").read_text())


@pytest.fixture
def brief(monkeypatch):
    """A small network, three rounds of two steps."""
    small = functools.partial(partial_image, filters=(4, 4))
    monkeypatch.setitem(pconv_unet.NETWORKS, "pconv-unet", (small, None))
    for name, value in {"STEPS_PER_ROUND": 2, "BATCH_SIZE": 2, "ROUNDS": 3, "ROUNDS_PER_STATE": 1}.items():
        monkeypatch.setattr(pconv_unet, name, value)
    monkeypatch.setattr(pconv_unet, "TRAINING", ("flower.jpg",))


def test_nothing_held_out_is_trained_on():
    assert not set(TRAINING) & set(HELD_OUT)
    assert report_of("pconv-unet")["training_photographs"] == list(TRAINING)


def test_patches_come_with_holes_and_the_target_is_the_whole_patch(brief):
    photos = [np.full((100, 120, 3), (10, 128, 250), "uint8")]
    (images, masks), targets = pconv_unet.draw(photos, np.random.default_rng(0))
    assert images.shape == (4, 96, 96, 3)
    np.testing.assert_array_equal(masks, targets[..., 3:])
    np.testing.assert_array_equal(images, targets[..., :3] * masks)
    assert targets.min() >= 0
    assert targets.max() <= 1
    for image, mask in zip(targets[..., :3], masks, strict=True):
        assert len(np.unique(image.reshape(-1, 3), axis=0)) == 1  # one colour stays one colour
        assert any(holes.low <= hole_percent(mask) <= holes.high for holes in BINS)


def test_a_patch_is_a_place_of_the_photograph_with_less_contrast():
    photo = np.random.default_rng(1).integers(256, size=(96, 96, 3), dtype="uint8")
    patch = pconv_unet.recoloured(photo, np.random.default_rng(0))
    turned = [np.rot90(photo, turns)[:, ::step] for turns in range(4) for step in (1, -1)]

    def correlation(one, other):
        return np.corrcoef(one.ravel(), other.ravel())[0, 1]

    best = [max(correlation(patch[..., i], t[..., j]) for t in turned for j in range(3)) for i in range(3)]
    np.testing.assert_allclose(best, 1, atol=1e-6)
    spans = np.ptp(patch, axis=(0, 1))
    assert ((spans > 0.59) & (spans <= 1)).all()


def test_the_loss_is_that_of_the_paper_by_hand():
    target = np.zeros((1, 1, 4, 4), "float32")
    target[..., 3] = (1, 0, 1, 1)  # the second pixel is the hole
    image = np.zeros((1, 1, 4, 3), "float32")
    image[0, 0, :, :] = np.array([0.1, 0.5, 0.2, 0.0])[:, None]
    # Means over 4 pixels: valid 0.3, hole 0.5 of weight 6; over 3 neighbours: two jumps of 0.5 at the hole, weight 0.1.
    expected = (0.3 + 6 * 0.5) / 4 + 0.1 * 2 * 0.5 / 3
    one_row_has_no_neighbour_below = (
        np.concatenate([target, target], axis=1),
        np.concatenate([image, image], axis=1),
    )
    assert float(pconv_unet.inpainting_loss(*one_row_has_no_neighbour_below)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow  # three trainings; test_blurnet.py and test_training_run.py have a quick one
def test_a_stopped_run_resumes_and_ends_like_an_unbroken_one(brief, unbroken_and_resumed):
    (unbroken, _), (resumed, _) = unbroken_and_resumed(lambda state: pconv_unet.train("pconv-unet", state))
    for ours, theirs in zip(resumed.variables, unbroken.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow  # measures whole sets; test_blurnet.py and test_tcn.py have quick ones
@pytest.mark.parametrize("name", first_of_each(pconv_unet.NETWORKS))
def test_the_checkpoint_scores_what_its_report_says(name):
    weights = CHECKPOINTS / f"{name}.safetensors"
    assert weights.stat().st_size < 2_500_000
    model = zoo.load(f"{name}.photos")

    def ours(images, masks):
        return model.predict({"image": images, "mask": masks}, batch_size=11, verbose=0)

    table = compare({name: ours}, (BINS[0], BINS[3]))
    reported = report_of(name)
    assert reported["metric"] == METRIC
    assert reported["training_steps"] == pconv_unet.ROUNDS * pconv_unet.STEPS_PER_ROUND
    for holes, row in table.items():
        assert row == pytest.approx({key: reported["comparison"][holes][key] for key in row}, abs=0.01)


@pytest.mark.slow  # scikit-image solves a system for each hole; the model beside it is always measured
def test_biharmonic_inpainting_scores_what_the_reports_say():
    row = report_of("pconv-unet")["comparison"]["1-10 %"]
    for key, value in score(biharmonic, BINS[0]).items():
        assert value == pytest.approx(row[f"biharmonic_{key}"], abs=0.01)


@pytest.mark.parametrize("name", first_of_each(reversed(pconv_unet.NETWORKS)))
def test_the_registry_loads_the_same_network_and_repeats_what_was_measured(name):
    entry = zoo.info(f"{name}.photos")
    rows = report_of(name)["comparison"].values()
    assert len(rows) == len(BINS)
    for key, value in entry.metrics.items():
        column = key if key.startswith("biharmonic") else f"{name}_{key}"
        assert np.mean([row[column] for row in rows]) == pytest.approx(value, abs=1e-3)
    masks = tile_masks(1, BINS[2])
    images = tiles()[:1] * masks
    whole = pconv_unet.from_image_and_mask(pconv_unet.NETWORKS[name][1])
    recipes = filled(whole, CHECKPOINTS / entry.filename).predict([images / 255, masks], verbose=0)
    loaded = zoo.load(entry.name).predict({"image": images, "mask": masks}, verbose=0)
    np.testing.assert_allclose(loaded, recipes, atol=0.01)


def test_the_image_of_the_cards_shows_the_predictions():
    with Image.open(CHECKPOINTS.parent / "model_cards" / "pconv-unet.png") as image:
        checked_in = np.asarray(image.convert("RGB"), "float32")
    drawn = np.asarray(pconv_unet_image.sheet(), "float32")
    assert drawn.shape == checked_in.shape
    # Another processor may round a pixel to the next level.
    assert np.abs(drawn - checked_in).max() <= 2, "run: python -m recipes.pconv_unet_image"


def test_the_twins_show_the_point_of_the_paper_and_the_baseline_its_strength():
    rows = report_of("pconv-unet")["comparison"].values()
    assert report_of("conv-unet")["comparison"] == report_of("pconv-unet")["comparison"]
    assert all(row["pconv-unet_psnr_db"] > row["conv-unet_psnr_db"] for row in rows)
    assert all(row["pconv-unet_l1_percent"] < row["conv-unet_l1_percent"] for row in rows)
    assert all(row["biharmonic_psnr_db"] > row["pconv-unet_psnr_db"] for row in rows)  # the cards say so
