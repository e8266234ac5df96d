"""The command that measures the embedded models on standard sets: its protocols, and what it writes where."""

import json

import numpy as np
import pytest
from PIL import Image

from recipes import classical, papers, papers_depth, papers_enlarging, papers_inpainting, reductions
from recipes.irregular_masks import BINS, hole_percent


def test_matlabs_bicubic_is_pillows_away_from_the_border():
    image = np.random.default_rng(0).integers(80, 175, size=(60, 48, 3), dtype="uint8")  # nothing is clipped
    for height, width in ((20, 16), (120, 96)):
        ours = reductions.matlab_bicubic(image, height, width).astype(int)
        pillows = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)).astype(int)
        assert np.abs(ours - pillows)[8:-8, 6:-6].max() <= 1  # the axes in another order round differently


def test_matlabs_bicubic_mirrors_at_the_border():
    weights = reductions.matrix(4, 8)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    # Between -0.25 and its mirror image: taps -2, -1, 0, 1 are the pixels 1, 0, 0, 1.
    np.testing.assert_allclose(weights[0], [0.2265625 + 0.8671875, -0.0234375 - 0.0703125, 0, 0])


def test_grey_images_are_compared_on_their_plane_and_others_on_luma():
    white = np.full((10, 12, 3), 255.0)
    assert papers_enlarging.plane(white, is_grey=True, border=2).shape == (6, 8)
    assert papers_enlarging.plane(white, is_grey=True, border=2).max() == 255
    np.testing.assert_allclose(papers_enlarging.plane(white, is_grey=False, border=2), 235, atol=0.01)


@pytest.fixture
def data(tmp_path):
    """A set of one grey image and one in colour, and NVIDIA's masks, a quarter of each a hole."""
    generator = np.random.default_rng(0)
    folder = tmp_path / "data" / "superres" / "set5"
    folder.mkdir(parents=True)
    for name, shape in (("colour", (26, 31, 3)), ("grey", (25, 24))):
        Image.fromarray(generator.integers(256, size=shape, dtype="uint8")).save(folder / f"{name}.png")
    masks = tmp_path / "data" / papers_inpainting.NVIDIA_MASKS
    masks.mkdir(parents=True)
    for index in range(3):
        mask = np.zeros((512, 512), "uint8")
        mask[:256, :256] = 255
        Image.fromarray(mask).save(masks / f"{index}.png")
    return tmp_path / "data"


def test_a_set_becomes_a_row_for_each_method(data, monkeypatch):
    monkeypatch.setattr(papers_enlarging, "MODELS", {"espcn-x{}": "espcn-x{}"})
    table = papers_enlarging.tables(data, "set5", 3)["set5"]
    assert list(table) == ["bicubic", "Lanczos", "espcn-x3"]
    assert all(row["psnr_db"] > 5 for row in table.values())


def test_an_image_can_be_made_smaller_in_several_ways():
    image = np.full((12, 18, 3), 77, "uint8")
    image[:, :, 0] = np.arange(18) * 10
    for reduce in reductions.REDUCTIONS.values():
        small = reduce(image, 3)
        assert small.shape == (4, 6, 3)
        np.testing.assert_allclose(small[:, 1:-1, 0], np.broadcast_to([40, 70, 100, 130], (4, 4)), atol=4)


def test_masks_are_chosen_by_their_range(data):
    assert not papers_inpainting.nvidia_masks(data, BINS[0])
    masks = papers_inpainting.nvidia_masks(data, BINS[2])
    assert [(mask.shape, hole_percent(mask)) for mask in masks] == [((256, 256), 25)] * 3


def test_sets_that_are_missing_are_left_out_and_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["papers", str(tmp_path)])
    papers.main()
    printed = capsys.readouterr().out
    assert f"{tmp_path / papers_inpainting.IMAGES} is not there, left out" in printed
    assert f"{tmp_path / 'kitti-depth/test'} is not there, left out" in printed


def test_a_table_goes_into_the_records_that_are_there(tmp_path):
    record = tmp_path / "espcn-x2.json"
    record.write_text('{"seed": 0}')
    papers.write(tmp_path, ("espcn-x2", "fsrcnn-x2"), "set5", {"bicubic": {"psnr_db": 33.67}})
    assert json.loads(record.read_text()) == {"seed": 0, "set5": {"bicubic": {"psnr_db": 33.67}}}
    assert list(tmp_path.iterdir()) == [record]
    assert (
        papers.markdown("set5", {"a": {"x": 1}, "b": {"y": 2}})
        == "| set5 | x | y |\n|---|---|---|\n| a | 1 |  |\n| b |  | 2 |\n"
    )


def slope(share):
    """A plane of depths, 10 to 40 metres, and some of its points."""
    plane = np.add.outer(np.linspace(10, 30, 60), np.linspace(0, 10, 80))
    return plane, np.where(np.random.default_rng(0).random(plane.shape) < share, plane, 0).astype("float32")


@pytest.mark.parametrize("name", [*classical.completion(), "diffusion", "diffusion of what is visible"])
def test_each_classical_method_completes_a_slope(name):
    fills = {"diffusion": papers_depth.diffusion, "diffusion of what is visible": papers_depth.visible_diffusion}
    method = (classical.completion() | fills)[name]
    plane, sparse = slope(0.2)
    errors = np.abs(method(sparse) - plane)[5:-5, 5:-5]
    assert errors.mean() < 0.7
    if name == "linear":
        assert errors.max() < 1e-3


@pytest.mark.parametrize("name", classical.inpainting())
def test_each_classical_method_fills_a_hole(name):
    image = np.full((20, 20, 3), (10, 90, 200), "uint8")
    mask = np.ones((20, 20), "uint8")
    mask[8:12, 8:12] = 0
    filled = classical.inpainting()[name](image * mask[..., None], mask)
    np.testing.assert_allclose(filled, image, atol=3)
