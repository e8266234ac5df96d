"""Boxes lie in the image as it was handed in: upright, in its own pixels, however the model saw it."""

import io

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.evaluation_models import detector
from zoo.catalogue.entry import Input
from zoo.imaging.boxes import in_whole
from zoo.imaging.preprocessing import preprocess_whole, whole_size
from zoo.tasks import find_task

WAYS = {
    "letterbox": Input(size=64, crop_mode="letterbox", interpolation="bilinear"),
    "shortest": Input(size=64, longest=100, crop_mode="shortest", interpolation="bilinear", antialias=False),
    "squash": Input(size=64, crop_mode="squash", interpolation="bilinear"),
    "as it is": Input(),
}
BOX = (60, 20, 140, 90)  # x1, y1, x2, y2


def street(width=200, height=120, box=BOX):
    """A red object in the dark."""
    pixels = np.zeros((height, width, 3), "uint8")
    pixels[box[1] : box[3], box[0] : box[2]] = (250, 10, 10)
    return Image.fromarray(pixels)


def of(way):
    model = detector()
    model.spec = model.spec.model_copy(update={"input": WAYS[way]})
    return model


@pytest.mark.parametrize("way", WAYS)
def test_a_box_lies_in_the_whole_image(way):
    record = zoo.predict(of(way), street())[0]
    assert (record["width"], record["height"]) == (200, 120)
    [found] = record["predictions"]
    assert (found["index"], found["label"], found["score"]) == (0, "red", 0.5)
    np.testing.assert_allclose(found["box"], BOX, atol=0 if way == "as it is" else 4)
    assert record.image.size == (200, 120)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photograph_that_lies_on_its_side_is_upright(orientation):
    turned = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    image, exif, content = street(), Image.Exif(), io.BytesIO()
    image = image if turned[orientation] is None else image.transpose(turned[orientation])
    exif[0x0112] = orientation
    image.save(content, "JPEG", exif=exif, quality=95)
    record = zoo.predict(of("letterbox"), content.getvalue())[0]
    assert (record["width"], record["height"]) == (200, 120)
    np.testing.assert_allclose(record["predictions"][0]["box"], BOX, atol=4)


def test_a_large_photograph_has_large_boxes():
    record = zoo.predict(of("shortest"), street(4000, 3000, (1000, 500, 3000, 2500)))[0]
    np.testing.assert_allclose(record["predictions"][0]["box"], (1000, 500, 3000, 2500), atol=60)


@pytest.mark.parametrize(
    ("way", "size", "expected"),
    [
        ("letterbox", (200, 120), (64, 38)),
        ("letterbox", (30, 60), (32, 64)),
        ("shortest", (200, 120), (100, 60)),
        ("shortest", (120, 110), (69, 64)),
        ("squash", (200, 120), (64, 64)),
        ("as it is", (200, 120), (200, 120)),
        ("letterbox", (1000, 2), (64, 1)),
    ],
)
def test_sizes_are_those_of_the_references(way, size, expected):
    assert whole_size(size, WAYS[way]) == expected
    pixels = preprocess_whole(Image.new("RGB", size, (10, 20, 30)), WAYS[way])
    assert pixels.shape == ((64, 64, 3) if way in ("letterbox", "squash") else (*expected[::-1], 3))
    assert (pixels[: expected[1], : expected[0]] == (10, 20, 30)).all()
    if way == "letterbox":
        assert (pixels[expected[1] :] == 114).all()
        assert (pixels[:, expected[0] :] == 114).all()


def test_what_is_not_averaged_is_interpolated_as_pytorch_does():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype="uint8")
    spec = Input(size=20, crop_mode="squash", interpolation="bilinear", antialias=False)
    found = np.asarray(preprocess_whole(pixels, spec))
    y, x = (np.arange(20) + 0.5) * 2 - 0.5, (np.arange(20) + 0.5) * 3 - 0.5
    rows = (pixels[y.astype(int)].astype(float) + pixels[y.astype(int) + 1]) / 2
    expected = rows[:, x.astype(int)]  # the middle of three columns
    np.testing.assert_allclose(found, expected, atol=1)


def test_colours_may_be_in_another_order():
    spec = WAYS["letterbox"].model_copy(update={"channels": "bgr"})
    assert preprocess_whole(Image.new("RGB", (64, 64), (1, 2, 3)), spec)[0, 0].tolist() == [3, 2, 1]


def test_boxes_end_at_the_border_of_the_whole_image():
    boxes = in_whole(np.array([[0, 0, 64, 64.0]]), (200, 120), WAYS["letterbox"])
    assert boxes.tolist() == [[0, 0, 200, 120]]


def test_nothing_found_is_an_empty_list_and_lines_name_what_is_shown():
    record = zoo.predict(detector(), Image.new("RGB", (20, 10)))[0]
    assert record["predictions"] == []
    task = find_task("object-detection")
    assert task.described(record) == ["20 x 10 pixels"]
    found = zoo.predict(detector(), street())[0]
    assert task.described(found) == ["200 x 120 pixels", " 50.00%  red  from (60, 20) to (140, 90)"]
    weak = {**found, "predictions": [{**found["predictions"][0], "score": 0.1}]}
    assert task.described(weak) == ["200 x 120 pixels", "and 1 with a score below 30%"]


def test_the_image_is_shown_with_its_boxes():
    record = zoo.predict(detector(), street())[0]
    difference = np.abs(np.asarray(record.image).astype(int) - np.asarray(street())).max(axis=-1)
    changed = np.argwhere(difference > 0)
    assert changed.min(axis=0).tolist()[1] == 60
    assert difference[40:80, 70:130].max() == 0  # the object itself is not covered
