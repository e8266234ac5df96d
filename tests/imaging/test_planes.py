"""Images of every mode that Pillow opens, of every orientation, and of any number of bands."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

import zoo
from zoo.catalogue.entry import Input
from zoo.imaging.planes import TURNS, Planes, read_image
from zoo.imaging.preprocessing import preprocess
from zoo.training.views import random_view

RAMP = np.tile(np.linspace(0, 255, 16).round().astype("uint8"), (12, 1))
COLOURS = np.stack([RAMP, RAMP[:, ::-1], np.full_like(RAMP, 90)], axis=-1)
MODES = ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA", "PA", "RGBX", "RGBa", "La")
MODES += ("I;16", "I;16L", "I;16B", "I;16N")


def image_of(mode):
    """An image of the mode, opaque, and what it is to be read as."""
    grey = Image.fromarray(RAMP)
    if mode in ("1", "P", "PA"):
        if mode == "1":
            return grey.convert("1"), np.repeat(np.asarray(grey.convert("1").convert("L"))[..., None], 3, axis=-1)
        return grey.convert("P").convert(mode), np.asarray(grey.convert("RGB"))
    if mode.startswith("I;16"):
        values = RAMP.astype("uint16") * 257
        raw = values.astype(">u2" if mode == "I;16B" else "<u2").tobytes()
        return Image.frombytes(mode, (16, 12), raw), np.asarray(grey.convert("RGB"))
    if mode in ("L", "I", "F", "LA", "La"):
        image = grey.convert("LA").convert("La") if mode == "La" else grey.convert(mode)
        return image, np.asarray(grey.convert("RGB"))
    colours = Image.fromarray(COLOURS)
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(colours, *profiles, outputMode="LAB")
        return image, COLOURS
    if mode == "RGBa":
        return colours.convert("RGBA").convert("RGBa"), COLOURS
    return colours.convert(mode), COLOURS


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_pillow_is_read_as_it_is_seen(mode):
    image, expected = image_of(mode)
    assert image.mode == mode
    difference = np.abs(np.asarray(read_image(image)).astype(int) - expected)
    if mode == "LAB":  # of 8 bits: the darkest colours are coarse
        assert difference.mean() < 2
    else:
        assert difference.max() <= (12 if mode in ("YCbCr", "HSV") else 1)
    assert preprocess(image, Input(mean=(0.5,), std=(0.5,))).shape == (12, 16, 1)


@pytest.mark.parametrize("mode", ["RGBA", "RGBa", "LA", "La", "PA", "P", "L", "RGB", "1"])
def test_what_is_transparent_is_white_in_every_mode_that_can_be(mode):
    base = {"L": "L", "LA": "L", "La": "L", "1": "1", "P": "P", "PA": "P"}.get(mode, "RGB")
    image = Image.new(base, (2, 2), 0)
    if mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        straight = {"RGBa": "RGBA", "La": "LA"}.get(mode, mode)
        image = image.convert(straight)
        image.putalpha(0)
        image = image.convert(mode) if mode != straight else image
    else:
        image.info["transparency"] = (0, 0, 0) if mode == "RGB" else 0
    assert image.mode == mode
    assert np.asarray(read_image(image)).min() == 255


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.array([[0.0, 70000.0]], "float32"), "floats has values from 0 to 70000"),
        (np.array([[0.0, 0.5]], "float32"), "multiply an image in"),
        (np.array([[-1.0, 1.0]], "float32"), "as if it were normalised"),
        (np.array([[np.nan, 1.0]], "float32"), "NaN"),
        (np.array([[-5, 100]], "int32"), "integers has values from -5"),
        (np.array([[0, 70000]], "int32"), "integers has values from 0 to 70000"),
        (np.array([[0, 4095]], "uint16"), "would come out black"),
        (np.array([[0, 255]], "uint16"), "would come out black"),
    ],
)
def test_numbers_outside_get_the_sentence_that_the_array_gets(values, sentence, tmp_path):
    Image.fromarray(values).save(tmp_path / "levels.tiff")
    np.save(tmp_path / "levels.npy", values)
    for source in (values, Image.fromarray(values), tmp_path / "levels.tiff", tmp_path / "levels.npy"):
        with pytest.raises(zoo.InputError, match=sentence):
            read_image(source)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32"])
@pytest.mark.parametrize("suffix", ["tiff", "npy"])
def test_a_file_of_numbers_is_what_the_array_is(dtype, suffix, tmp_path):
    values = RAMP.astype(dtype) * {"uint16": 257, "int32": 257}.get(dtype, 1)
    if suffix == "npy":
        np.save(tmp_path / "levels.npy", values)
    else:
        Image.fromarray(values).save(tmp_path / "levels.tiff")
    np.testing.assert_array_equal(np.asarray(read_image(tmp_path / f"levels.{suffix}"))[..., 0], RAMP)
    np.testing.assert_array_equal(np.asarray(read_image(values))[..., 0], RAMP)


def test_a_tiff_of_floats_in_colours_is_read():
    file = io.BytesIO()
    tifffile.imwrite(file, COLOURS.astype("float32"), photometric="rgb")
    np.testing.assert_array_equal(np.asarray(read_image(file.getvalue())), COLOURS)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff", "webp"])
def test_every_orientation_is_applied_wherever_an_image_is_read(orientation, suffix, tmp_path):
    upright = Image.fromarray(COLOURS).resize((64, 48))
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    held = upright.transpose(TURNS[undo]) if undo in TURNS else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    held.save(tmp_path / f"turned.{suffix}", exif=exif, **options)
    with Image.open(tmp_path / f"turned.{suffix}") as opened:
        for source in (tmp_path / f"turned.{suffix}", opened):
            difference = np.abs(np.asarray(read_image(source)).astype(int) - np.asarray(upright))
            assert difference.max() <= (8 if suffix == "jpg" else 0)


BANDS = np.random.default_rng(0).integers(0, 256, (12, 16, 6), dtype="uint8")


def spec(channels, **options):
    return Input(mean=(0.5,) * channels, std=(0.5,) * channels, **options)


def written(kind, path):
    if kind == "npy":
        path = path.with_suffix(".npy")
        np.save(path, BANDS)
    elif kind == "pages":
        tifffile.imwrite(path, np.moveaxis(BANDS, -1, 0), photometric="minisblack")
    elif kind == "as it is":  # each row a page
        tifffile.imwrite(path, BANDS)
    else:
        planes = kind == "planes"
        array = np.moveaxis(BANDS, -1, 0) if planes else BANDS
        tifffile.imwrite(path, array, photometric="minisblack", planarconfig="separate" if planes else "contig")
    return path


@pytest.mark.parametrize("kind", ["npy", "pages", "planes", "interleaved", "as it is"])
def test_files_of_six_bands_are_read_as_the_array(kind, tmp_path):
    path = written(kind, tmp_path / "bands.dat")
    for source in (path, path.read_bytes(), BANDS):
        np.testing.assert_array_equal(preprocess(source, spec(6)), BANDS)


@pytest.mark.parametrize("channels", [2, 4, 5, 6, 13])
def test_any_number_of_bands_is_resized_as_each_band_alone(channels):
    bands = np.random.default_rng(1).integers(0, 256, (30, 40, channels), dtype="uint8")
    whole = preprocess(bands, spec(channels, size=16, crop=0.9))
    assert (whole.shape, whole.dtype) == ((16, 16, channels), np.uint8)
    for index in range(channels):
        alone = preprocess(bands[..., index], spec(3, size=16, crop=0.9))
        np.testing.assert_array_equal(whole[..., index], alone[..., 0])
    view = random_view(bands, spec(channels), 8, 9, np.random.default_rng(0))
    assert view.shape == (8, 9, channels)


@pytest.mark.parametrize("mode", ["RGBA", "CMYK"])
def test_four_bands_of_an_image_are_neither_colours_nor_transparency(mode, tmp_path):
    bands = BANDS[..., :4]
    Image.frombytes(mode, (16, 12), bands.tobytes()).save(tmp_path / "bands.tiff")
    np.testing.assert_array_equal(preprocess(tmp_path / "bands.tiff", spec(4)), bands)


def test_bands_of_sixteen_bits_are_scaled_and_turned(tmp_path):
    path = tmp_path / "bands.tiff"
    orientation = [(274, 3, 1, 6, True)]
    tifffile.imwrite(
        path, BANDS.astype("uint16") * 257, photometric="minisblack", planarconfig="contig", extratags=orientation
    )
    np.testing.assert_array_equal(preprocess(path, spec(6)), np.rot90(BANDS, -1))


@pytest.mark.parametrize(("source", "channels"), [(BANDS, 4), (BANDS, 3), (BANDS[..., :3], 6), (BANDS[..., 0], 6)])
def test_another_number_of_bands_is_reported(source, channels):
    with pytest.raises(zoo.InputError, match=r"has the shape .* channels last"):
        Planes(source, channels)
