"""Depth maps in every form they come in, and what `zoo.predict` and `zoo.evaluate` say of them."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.architectures import build
from zoo.catalogue.entry import Entry, Input
from zoo.imaging import depth_colors
from zoo.tasks.depth_completion import preprocess_depth

ENTRY = Entry(
    name="small.test", architecture="small", tag="test", builder="sparseconvnet.sparseconvnet", task="depth-completion",
    config={"filters": 2, "kernel_sizes": [3]}, paper="", format="zoo", license="apache-2.0", input=Input(),
)  # fmt: skip


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return build(ENTRY)


@pytest.fixture
def metres():
    generator = np.random.default_rng(0)
    depths = generator.integers(256, 256 * 80, (12, 17)) / 256
    return np.where(generator.random(depths.shape) < 0.3, depths, 0).astype("float32")


def write(path, metres):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.round(256 * metres).astype("uint16")).save(path)
    return path


def test_metres_are_the_same_in_every_form(metres, tmp_path):
    np.save(tmp_path / "depths.npy", metres)
    png = write(tmp_path / "depths.png", metres)
    with_nan = np.where(metres == 0, np.nan, metres)
    for form in (metres, with_nan, png, str(tmp_path / "depths.npy"), (256 * metres).astype("uint16")):
        prepared = preprocess_depth(form)
        np.testing.assert_allclose(prepared["image"][..., 0], metres, atol=1e-6)
        np.testing.assert_array_equal(prepared["mask"][..., 0], metres > 0)


def test_a_prediction_is_in_metres_and_has_an_image(model, metres):
    record = zoo.predict(model, metres)[0]
    batch = metres[None, ..., None]
    expected = model({"image": batch, "mask": (batch > 0).astype("float32")})
    np.testing.assert_allclose(record.depth_map, np.asarray(expected)[0, ..., 0], rtol=1e-6)
    assert record["measured"] == pytest.approx((metres > 0).mean(), abs=1e-6)
    assert record.image.width == 17
    assert json.loads(json.dumps(record)) == record


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (np.zeros((4, 5), "float32"), "no measured pixel"),
        (np.full((4, 5), -1.0), "negative"),
        (np.full((4, 5), np.inf), "infinity"),
        (np.ones((4, 5, 3)), r"shape \(4, 5, 3\)"),
        ("nowhere.png", "There is no file nowhere.png. Expected the path of an image"),
        ("nowhere.npy", "There is no file nowhere.npy."),
    ],
)
def test_what_is_not_a_depth_map_is_one_error(model, wrong, sentence):
    with pytest.raises(zoo.InputError, match=sentence):
        zoo.predict(model, [wrong])


def test_an_ordinary_image_is_refused(model, tmp_path):
    Image.fromarray(np.zeros((4, 5, 3), "uint8")).save(tmp_path / "photo.jpg")
    with pytest.raises(zoo.InputError, match="Expected a PNG of 16 bits"):
        zoo.predict(model, tmp_path / "photo.jpg")


def test_evaluation_counts_where_there_is_target(model, metres, tmp_path):
    answer = zoo.predict(model, metres)[0].depth_map
    target = np.zeros_like(metres)
    target[3, 4] = np.round(256 * (abs(answer[3, 4]) + 2)) / 256
    write(tmp_path / "test" / "sparse" / "0.png", metres)
    write(tmp_path / "test" / "dense" / "0.png", target)
    record = zoo.evaluate(model, tmp_path)
    assert record["count"] == 1
    assert record["mae_metres"] == pytest.approx(abs(target[3, 4] - answer[3, 4]), abs=1e-4)


def test_near_is_brighter_than_far():
    image = np.asarray(depth_colors.image(np.linspace(1, 50, 200).reshape(2, 100)).convert("L"), int)
    assert image[0, 0] > image[0, 50] > image[1, 99]
    assert image.shape[0] > 2
