"""How inpainting is measured: which pixels, which holes, and metrics that can be worked out by hand."""

import numpy as np
import pytest

from recipes import inpainting_scores
from recipes.irregular_masks import BINS, hole_percent
from recipes.photographs import HELD_OUT, photograph


def test_the_tiles_are_those_of_the_held_out_photographs_side_by_side():
    tiles = inpainting_scores.tiles()
    assert tiles.shape == (4 * 3 + 3 * 2 + 5 * 3, 128, 128, 3)  # coffee 600 x 400, chelsea 451 x 300, china 640 x 427
    assert HELD_OUT == ("coffee.png", "chelsea.png", "china.jpg")
    coffee = np.asarray(photograph("coffee.png"), "float32")
    np.testing.assert_array_equal(np.concatenate(tiles[:4], axis=1), coffee[:128, :512])
    np.testing.assert_array_equal(tiles[4], coffee[128:256, :128])


@pytest.mark.parametrize("holes", BINS, ids=str)
def test_each_tile_has_holes_in_the_range_the_same_in_each_run(holes):
    masks = inpainting_scores.tile_masks(4, holes)
    assert all(holes.low <= hole_percent(mask) <= holes.high for mask in masks)
    np.testing.assert_array_equal(masks, inpainting_scores.tile_masks(4, holes))
    assert (masks[0] != masks[1]).any()


def test_a_method_that_is_wrong_by_a_known_number_of_levels_gets_the_figures_of_arithmetic(monkeypatch):
    grey = np.full((2, 128, 128, 3), 100, "float32")
    monkeypatch.setattr(inpainting_scores, "tiles", lambda: grey)
    scores = inpainting_scores.score(lambda images, masks: np.full_like(images, 110.4), BINS[0])  # rounded to 110
    assert scores["psnr_db"] == pytest.approx(20 * np.log10(255 / 10), abs=1e-3)
    assert scores["l1_percent"] == pytest.approx(100 * 10 / 255, abs=1e-3)
    luminance = (2 * 100 * 110 + 2.55**2) / (100**2 + 110**2 + 2.55**2)  # without contrast nothing else counts
    assert scores["ssim"] == pytest.approx(luminance, abs=1e-4)


def test_a_method_sees_black_under_the_holes():
    seen = []

    def nothing(images, masks):
        seen.append((images, masks))
        return images

    inpainting_scores.score(nothing, BINS[5])
    images, masks = seen[0]
    assert not (images * (1 - masks)).any()
    np.testing.assert_array_equal(images, inpainting_scores.tiles() * masks)


def test_biharmonic_inpainting_goes_on_smoothly_and_leaves_valid_pixels():
    ramp = np.tile(np.linspace(50, 200, 32)[None, None, :, None], (1, 32, 1, 3))
    mask = np.ones((1, 32, 32, 1))
    mask[:, 10:20, 12:18] = 0
    np.testing.assert_allclose(inpainting_scores.biharmonic(ramp * mask, mask), ramp, atol=0.5)


def test_the_table_has_a_row_a_range_and_a_column_a_method_and_figure(monkeypatch):
    monkeypatch.setattr(
        inpainting_scores, "score", lambda method, holes: {"psnr_db": method, "ssim": 0, "l1_percent": 0}
    )
    table = inpainting_scores.compare({"ours": 30.0, "theirs": 20.0}, BINS[:2])
    assert list(table) == ["1-10 %", "10-20 %"]
    assert table["1-10 %"]["ours_psnr_db"] == 30.0
    assert table["1-10 %"]["theirs_psnr_db"] == 20.0
    assert set(table["10-20 %"]) == {f"{m}_{k}" for m in ("ours", "theirs") for k in ("psnr_db", "ssim", "l1_percent")}
