"""Images with holes, in every form they come in, and what `zoo.predict` says of them."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.architectures import build
from zoo.catalogue.entry import Entry, Input
from zoo.tasks.inpainting import preprocess_damaged

ENTRY = Entry(
    name="small.test", architecture="small", tag="test", builder="pconv_unet.pconv_unet", config={"filters": [4, 4]},
    task="inpainting", paper="", format="zoo", license="apache-2.0", input=Input(),
)  # fmt: skip
PHOTO = np.random.default_rng(0).integers(1, 255, (21, 30, 3), dtype="uint8")
MASK = np.ones((21, 30), "uint8")
MASK[5:12, 8:20] = 0


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return build(ENTRY)


@pytest.fixture
def damaged():
    return np.concatenate([PHOTO, 255 * MASK[..., None]], axis=-1)


def test_transparent_pixels_are_the_hole_in_every_form(damaged, tmp_path):
    Image.fromarray(damaged).save(tmp_path / "damaged.png")
    Image.fromarray(255 * MASK).save(tmp_path / "mask.png")
    forms = [
        damaged,
        Image.fromarray(damaged),
        tmp_path / "damaged.png",
        {"image": PHOTO, "mask": MASK},
        {"image": PHOTO, "mask": MASK[..., None].astype(bool)},
        {"image": PHOTO, "mask": tmp_path / "mask.png"},
    ]
    for form in forms:
        prepared = preprocess_damaged(form)
        np.testing.assert_array_equal(prepared["mask"][..., 0], MASK)
        np.testing.assert_array_equal(prepared["image"], PHOTO * MASK[..., None])
        assert (prepared["image"].dtype, prepared["mask"].dtype) == (np.uint8, np.float32)


def test_only_the_hole_is_filled(model, damaged):
    record = zoo.predict(model, damaged)[0]
    pixels = np.asarray(record.image)
    np.testing.assert_array_equal(pixels[MASK == 1], PHOTO[MASK == 1])
    assert pixels[MASK == 0].any()
    assert record["hole"] == pytest.approx(7 * 12 / MASK.size, abs=1e-6)
    assert json.loads(json.dumps(record)) == record


def test_what_lies_under_the_hole_changes_nothing(model, damaged):
    other = damaged.copy()
    other[MASK == 0, :3] = 77
    images = [np.asarray(record.image) for record in zoo.predict(model, [damaged, other])]
    np.testing.assert_array_equal(*images)


def test_several_sizes_in_one_call(model, damaged):
    records = zoo.predict(model, [damaged, damaged[:, :25], damaged])
    assert [(record["width"], record["height"]) for record in records] == [(30, 21), (25, 21), (30, 21)]
    assert records[0]["input"] == "image 0"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (np.dstack([PHOTO, np.full((21, 30), 255, "uint8")]), "no hole"),
        ({"image": PHOTO, "mask": np.zeros((21, 30))}, "no pixel outside its holes"),
        ({"image": PHOTO, "mask": MASK[:-1]}, r"mask has the shape \(20, 30\), the image \(21, 30\)"),
        ({"image": PHOTO, "mask": np.ones((21, 30, 2))}, r"mask has the shape \(21, 30, 2\)"),
        ({"image": PHOTO}, "Expected 'image' and 'mask'"),
        (PHOTO, r"shape \(21, 30, 3\).*opacity last"),
        ("nowhere.png", "There is no file nowhere.png"),
    ],
)
def test_what_is_not_a_damaged_image_is_one_error(model, wrong, sentence):
    with pytest.raises(zoo.InputError, match=sentence):
        zoo.predict(model, [wrong])


def test_the_model_survives_its_file(model, damaged, tmp_path):
    model.save(tmp_path / "model.keras")
    again = zoo.load(str(tmp_path / "model.keras"))
    assert again.spec == ENTRY
    images = [np.asarray(zoo.predict(which, damaged)[0].image) for which in (model, again)]
    np.testing.assert_array_equal(*images)
