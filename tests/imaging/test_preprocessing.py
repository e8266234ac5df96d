"""Images in every shape they come in, and timm's evaluation transform to the last level."""

import json

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.golden_files import FOLDER
from zoo.catalogue.entry import Input
from zoo.imaging.planes import read_image
from zoo.imaging.preprocessing import preprocess
from zoo.tasks.volume_features import preprocess_volume

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
ANY = Input()


def golden_configurations():
    with np.load(FOLDER / "preprocess.npz") as file:
        return list(enumerate(json.loads(file["meta"].tobytes())))


@pytest.mark.parametrize(("index", "configuration"), golden_configurations())
def test_equals_timms_evaluation_transform(index, configuration):
    configuration = dict(configuration)
    spec = Input(crop=configuration.pop("crop_pct"), **configuration, **IMAGENET)
    with np.load(FOLDER / "preprocess.npz") as file:
        image, expected = file["image"], file[f"out{index}"]
    difference = np.abs(preprocess(image, spec).astype(int) - expected.astype(int))
    assert difference.max() <= 1


def test_without_a_size_an_image_keeps_its_own():
    image = np.arange(5 * 4 * 3, dtype="uint8").reshape(5, 4, 3)
    np.testing.assert_array_equal(preprocess(image, ANY), image)


def test_an_image_smaller_than_the_crop_is_padded_with_black_on_both_sides():
    spec = Input(size=8, crop=1.0, crop_mode="border")
    out = preprocess(np.full((4, 8, 3), 255, "uint8"), spec)
    assert out.shape == (8, 8, 3)
    assert out[0, 0].tolist() == [0, 0, 0]
    assert out[4, 4].tolist() == [255, 255, 255]


def gradient(mode):
    ramp = np.linspace(0, 255, 16).round().astype("uint8")
    grey = np.tile(ramp, (12, 1))
    if mode == "I;16":
        return Image.fromarray(grey.astype("uint16") * 257)
    if mode == "F":
        return Image.fromarray(grey.astype("float32"))
    return Image.fromarray(grey).convert(mode)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [("L", "png"), ("RGB", "png"), ("P", "png"), ("RGBA", "png"), ("LA", "png"), ("I;16", "png"), ("1", "png"),
     ("CMYK", "jpg"), ("L", "jpg"), ("F", "tiff"), ("I;16", "tiff"), ("P", "gif")],
)  # fmt: skip
def test_every_kind_of_file_becomes_8_bit_rgb(mode, suffix, tmp_path):
    path = tmp_path / f"image.{suffix}"
    gradient(mode).save(path)
    out = preprocess(path, ANY)
    assert out.dtype == np.uint8
    assert out.shape == (12, 16, 3)
    expected = np.asarray(gradient("1").convert("L")) if mode == "1" else np.asarray(gradient("L"))
    assert np.abs(out[..., 0].astype(int) - expected).max() <= (3 if suffix == "jpg" else 1)


def test_exif_orientation_is_applied(tmp_path):
    image = Image.new("RGB", (6, 4))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    image.save(tmp_path / "turned.jpg", exif=exif)
    assert preprocess(tmp_path / "turned.jpg", ANY).shape == (6, 4, 3)


def test_transparency_is_laid_over_white():
    image = Image.new("RGBA", (2, 2), (255, 0, 0, 0))
    assert np.asarray(read_image(image)).tolist() == [[[255, 255, 255]] * 2] * 2


def test_a_transparent_palette_is_laid_over_white(tmp_path):
    image = Image.new("P", (2, 2), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.info["transparency"] = 1
    image.save(tmp_path / "palette.png")
    assert np.asarray(read_image(tmp_path / "palette.png")).min() == 255


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.full((2, 2), 7, "uint8"), 7),
        (np.full((2, 2, 1), 7, "uint8"), 7),
        (np.full((2, 2, 3), 65535, "uint16"), 255),
        (np.full((2, 2, 3), 99.6, "float32"), 100),
        (np.full((2, 2, 3), 300.0, "float64"), 255),
        (np.full((2, 2, 3), 7, "int64"), 7),
        (np.full((2, 2, 3), 514, "int32") * [[[1, 1, 1]], [[1, 1, 1]]] * 20, 40),
        (np.full((2, 2, 3), True), 255),
        (np.full((2, 2, 3), 99.6, "float16"), 100),
    ],
)
def test_arrays_of_several_dtypes_are_taken(array, expected):
    assert preprocess(array, ANY).tolist() == [[[expected] * 3] * 2] * 2


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 8, 8), "uint8"), r"shape \(3, 8, 8\).*channels last"),
        (np.zeros((0, 8, 3), "uint8"), r"shape \(0, 8, 3\)"),
        (np.zeros(5, "uint8"), r"shape \(5,\)"),
        (np.zeros((8, 8, 3), "complex64"), "dtype complex64"),
        (np.full((8, 8, 3), 70000), "values from 70000 to 70000"),
        (np.full((8, 8, 3), -1), "values from -1 to -1"),
        (np.full((8, 8, 3), 4095, "uint16"), "16 bits has values up to 4095.*would come out black"),
        (np.full((8, 8, 3), np.nan), "NaN"),
        (np.full((8, 8, 3), np.inf), "infinity"),
        (np.full((8, 8, 3), 0.5), "0 to 255; multiply"),
        (np.ones((8, 8, 3)), "0 to 255; multiply"),
        (np.array([[-2.1, 2.6]]), "as if it were normalised"),
        (np.array([[0.0, 65535.0]]), "floats has values from 0 to 65535"),
    ],
)
def test_an_array_that_is_not_an_image_is_refused(array, message):
    with pytest.raises(zoo.InputError, match=message):
        preprocess(array, ANY)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n broken"])
def test_a_file_that_is_not_an_image_is_refused_by_name(content, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with pytest.raises(zoo.InputError, match=r"photo\.png cannot be read as an image"):
        preprocess(path, ANY)


def test_a_file_cut_short_is_refused(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype="uint8")).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(zoo.InputError, match="truncated"):
        preprocess(path, ANY)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(zoo.InputError, match=r"There is no file .*nothing\.png"):
        preprocess(tmp_path / "nothing.png", ANY)


def test_a_folder_is_not_an_image(tmp_path):
    with pytest.raises(zoo.InputError, match="cannot be read as an image"):
        preprocess(tmp_path, ANY)


def test_a_volume_gets_zero_mean_and_unit_variance_beside_its_background(tmp_path):
    volume = np.zeros((2, 3, 4), "int16")
    volume[0, 0, 0], volume[1, 2, 3] = 100, -300  # mean -100, deviation 200
    np.save(tmp_path / "volume.npy", volume)
    for source in (volume, tmp_path / "volume.npy"):
        prepared = preprocess_volume(source)
        assert (prepared.shape, prepared.dtype) == ((2, 3, 4, 1), np.float32)
        assert (prepared[0, 0, 0, 0], prepared[1, 2, 3, 0], prepared[0, 1, 1, 0]) == (1, -1, 0)


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        (np.ones((4, 5)), "shape"),
        (np.ones((4, 5, 6, 1)), "without an axis of channels"),
        (np.ones((4, 5, 1)), "without an axis of channels"),
        (np.array([[["a", "b"]]]), "dtype"),
        (np.full((4, 5, 6), np.nan), "NaN"),
        (np.zeros((4, 5, 6)), "no two values"),
        (np.full((4, 5, 6), 7), "no two values"),
    ],
)
def test_an_array_that_is_not_a_volume_is_refused(volume, message):
    with pytest.raises(zoo.InputError, match=message):
        preprocess_volume(volume)


def test_a_pickled_array_is_not_a_volume_and_is_not_unpickled(tmp_path):
    np.save(tmp_path / "volume.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(zoo.InputError, match="cannot be read as a volume"):
        preprocess_volume(tmp_path / "volume.npy")


@pytest.mark.parametrize(
    ("changes", "around"),
    [
        ({}, [114, 114, 114]),
        ({"fill": "mean"}, [26, 128, 204]),
        ({"fill": "mean", "channels": "bgr"}, [26, 128, 204]),
        ({"fill": "mean", "mean": (0.2,), "std": (1.0,)}, [51]),
        ({"fill": "mean", "mean": (0.2, 0.4), "std": (1.0, 1.0)}, [51, 102]),
    ],
)
def test_around_a_letterboxed_image_is_grey_or_the_mean(changes, around):
    facts = {"size": 10, "crop_mode": "letterbox", "mean": (0.1, 0.5, 0.8), "std": (1.0, 1.0, 1.0)}
    spec = Input(**{**facts, **changes})
    image = np.full((10, 20, len(spec.mean)), 7, "uint8")
    pixels = preprocess(image, spec)
    assert (pixels[:5] == 7).all()
    assert pixels[9, 9].tolist() == around
