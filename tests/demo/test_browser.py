"""`zoo demo` in real Chromium: what `zoo.predict` answers is what the page shows, for a model of each task."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.chromium import NEEDED
from tests.marked_cases import first_of_each
from zoo.imaging.label_maps import colors
from zoo.imaging.planes import read_image

pytestmark = NEEDED


def sample(task, index=0):
    """The file of a sample; it is given as a person's own."""
    from zoo.demo.views import VIEWS

    return VIEWS[task].samples[index][0]


def same(image, other):
    return np.array_equal(np.asarray(image.convert("RGB")), np.asarray(other.convert("RGB")))


def test_the_page_opens_with_a_model_that_names_photographs(page):
    page.drop(sample("image-classification"))
    page.said("tf_efficientnet_lite0.in1k took")
    best = page.seen("[data-testid$=-confidence-set]")[0]
    assert best.get_attribute("data-testid").removesuffix("-confidence-set") == "Egyptian cat"


def test_a_photograph_is_enlarged_beside_its_bicubic_enlargement(page):
    path = sample("super-resolution", 1)
    page.pick("espcn-x2.photos")
    page.drop(path)
    page.said("espcn-x2.photos took")
    before, after = page.images(2)
    record = zoo.predict("espcn-x2", path)[0]
    assert same(after, record.image)
    assert same(before, read_image(path).resize(record.image.size, Image.Resampling.BICUBIC))
    assert "960 x 640 pixels" in page.status()


@pytest.mark.slow  # two models more; the classes of one are above
def test_the_same_image_is_classified_by_one_model_after_another(page):
    path = str(Path(zoo.__file__).parent / "demo" / "samples" / "bricks.png")
    page.pick("blurnet-textures.grey")
    page.drop(path)
    for name in ("blurnet-textures.grey", "maxpool-textures.grey"):
        page.pick(name)
        page.run_until(f"{name} took")
        expected = [item["label"] for item in zoo.predict(name, path)[0]["predictions"]]
        assert expected[0] == "bricks"
        marks = page.seen("[data-testid$=-confidence-set]")
        assert [mark.get_attribute("data-testid").removesuffix("-confidence-set") for mark in marks] == expected


@pytest.mark.slow  # a network more; a photograph and its classes are above
def test_a_segmentation_has_a_legend_in_its_colours(page):
    path = sample("semantic-segmentation")
    page.pick("segnet-basic.camvid")
    assert "for non-commercial use only" in page.facts()
    page.drop(path)
    page.said("segnet-basic.camvid took")
    record = zoo.predict("segnet-basic", path)[0]
    legend = [button.text for button in page.seen("[id^=answer-] .legend-item")]
    assert legend == [f"{item['label']} {item['area']:.1%}" for item in record["classes"]]
    image, *masks = page.images(1 + len(legend))
    assert same(image, read_image(path))
    palette = colors(11)
    for mask, item in zip(masks, record["classes"], strict=True):
        pixels = np.asarray(mask.convert("RGBA"))
        np.testing.assert_array_equal(pixels[..., 3] > 0, record.label_map == item["index"])
        assert (pixels[pixels[..., 3] > 0][:, :3] == palette[item["index"]]).all()


@pytest.mark.slow  # a network more; a photograph and its classes are above
def test_depths_are_filled_and_have_metres(page):
    path = sample("depth-completion")
    page.pick("sparseconvnet.random-density")
    page.drop(path)
    record = zoo.predict("sparseconvnet.random-density", path)[0]
    page.said(f"{record['nearest_metres']:g} to {record['farthest_metres']:g} m")
    measured, filled = page.images(2)
    assert same(filled, record.image)
    assert measured.size == filled.size


@pytest.mark.slow  # a canvas of WebGL without a graphics card; test_visitors.py has what is painted
def test_what_is_painted_over_is_filled(page):
    path = sample("super-resolution")
    page.pick("pconv-unet.photos")
    page.drop(path)
    page.stroke(60, 20)
    page.run_until("pconv-unet.photos took")
    damaged, mended = page.images(2)
    photograph = np.asarray(read_image(path))
    mask = (np.asarray(damaged.convert("RGB")) != (255, 0, 255)).any(axis=-1)
    assert 0.01 < (~mask).mean() < 0.5
    record = zoo.predict("pconv-unet.photos", {"image": photograph, "mask": mask})[0]
    assert same(mended, record.image)


def test_a_place_is_named_and_drawn_and_found(page):
    for name, words in (
        ("coordconv-classifier.quadrant", "x 44, y 50"),
        ("coordconv-renderer.quadrant", "81 pixels drawn"),
    ):
        page.pick(name)
        page.seen("[id^=give-] tr.tr-body")[1].click()
        page.said(words)
        [shown] = page.images()
        assert same(shown.resize((64, 64), 0), zoo.predict(name, "44,50")[0].image)
    page.pick("coordconv-regressor.quadrant")
    page.drop(sample("coordinate-regression"))
    assert "x 44, y 50" in page.said("coordconv-regressor.quadrant took")
    pixels = np.asarray(page.images()[0].convert("RGB"))
    rows, columns = np.nonzero((pixels == (255, 0, 255)).all(axis=-1))
    assert (columns.mean() / 6, rows.mean() / 6) == pytest.approx((44.5, 50.5), abs=0.2)  # the middle of the pixel


@pytest.mark.slow  # a network more; a photograph and its classes are above
def test_a_series_is_continued_in_a_plot(page):
    path = sample("forecasting")
    page.pick("tcn-co2.mauna-loa")
    page.drop(path)
    forecast = zoo.predict("tcn-co2", path)[0]["forecast"]
    assert page.said("; ".join(f"{value:g}" for value in forecast[:3]))
    assert page.seen("[id^=answer-] .vega-embed svg")


@pytest.mark.slow  # a network more; a photograph and its classes are above
def test_a_volume_is_shown_as_the_slice_with_the_most(page):
    path = sample("volume-segmentation")
    page.pick("unet3d-phantoms.phantoms")
    page.drop(path)
    record = zoo.predict("unet3d-phantoms", path)[0]
    page.said(f"{record['voxels']} voxels found, most in slice {record['slice']}")
    [shown] = page.images()
    assert same(shown.resize(record.image.size, 0), record.image)


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory):
    """A photograph that was cut off, no image at all, and one of 200 megapixels."""
    folder = tmp_path_factory.mktemp("bad")
    whole = Path(sample("super-resolution")).read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "words.png").write_text("no image")
    Image.new("L", (20_000, 10_000)).save(folder / "huge.png")
    return folder


def test_bad_images_are_answered_with_an_error_and_the_next_one_with_an_image(page, bad_files):
    sentences = {
        "words.png": "words.png cannot be read as an image (not an image that Pillow knows).",
        "huge.png": "huge.png cannot be read as an image (Image size (200000000 pixels) exceeds limit",
        "cut.jpg": "cut.jpg cannot be read as an image",
    }
    for name, sentence in sentences.items():
        page.drop(bad_files / name)
        assert page.said(name).startswith(sentence)
        assert page.driver.find_elements("css selector", "[id^=answer-] img") == []
        page.clear()
    page.drop(sample("image-classification"))
    page.said("tf_efficientnet_lite0.in1k took")


@pytest.mark.slow  # toasts fade slowly; the same files are above
def test_bad_images_are_not_a_canvas(page, bad_files):
    page.pick("pconv-unet.photos")
    for name in ("words.png", "huge.png"):
        page.drop(bad_files / name)
        assert f"{name} cannot be read as an image" in page.until(lambda: page.seen(".toast-body")[0].text)
        page.seen(".toast-close")[0].click()
        page.until(lambda: not page.driver.find_elements("css selector", ".toast-body"))  # it fades slowly
        page.clear()


@pytest.mark.slow  # the images above are answered the same way
def test_bad_arrays_are_answered_with_an_error(page, tmp_path):
    np.save(tmp_path / "flat.npy", np.zeros((8, 8)))
    np.save(tmp_path / "vast.npy", np.ones((65, 250, 250), "uint8"))
    page.pick("unet3d-phantoms.phantoms")
    page.drop(tmp_path / "flat.npy")
    assert page.said("A volume has the shape (8, 8)")
    page.clear()
    page.drop(tmp_path / "vast.npy")
    assert page.said("vast.npy contains 4,062,500 values. Expected at most 4,000,000 here")


def test_a_wrong_name_is_answered_with_the_nearest_ones(page):
    page.type_model("espnc-x2")
    assert "Did you mean 'espcn-x2" in page.said("No model is named 'espnc-x2'")
    page.type_model("fcn8s.vgg16_tv_in1k")
    page.said("has random weights. Expected a model that was trained")


@pytest.mark.slow  # two models more; test_views.py has the plot
def test_the_features_of_a_folder_that_is_typed_are_plotted(page, classifier, tmp_path):
    headless = zoo.load(zoo.save(classifier, tmp_path / "classes"), num_classes=0)
    folder = zoo.save(headless, tmp_path / "features")
    page.type_model(str(folder))
    page.until(lambda: "Task: image features" in page.facts() and "a folder on this machine" in page.facts())
    page.drop(sample("image-features"))
    record = zoo.predict(headless, sample("image-features"))[0]
    page.said("took")
    assert page.status().endswith(f": {len(record['features'])} features")
    page.seen("[id^=answer-] .vega-embed svg")


@pytest.mark.parametrize("scheme", first_of_each(["dark", "light"]))
def test_it_fits_a_telephone(page, scheme):
    view = {"width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    page.driver.refresh()
    page.seen("[id^=give-]")
    assert page.driver.execute_script("return document.documentElement.scrollWidth") <= 390
    ground = page.driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground.strip("rgba()").split(",")[:3])) > 384) == (scheme == "light")
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
