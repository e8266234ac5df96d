"""Files as they are found: damaged in any way, of claims that they do not keep, and none at all."""

import ast
import io
import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.catalogue.entry import Input
from zoo.datasets import depth_maps, images_with_masks
from zoo.imaging.files import Content, read_npy
from zoo.imaging.planes import Planes, read_image
from zoo.imaging.preprocessing import preprocess
from zoo.tasks import find_task
from zoo.tasks.inpainting import preprocess_damaged
from zoo.training import images

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(__file__)), "golden")
NOISE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype="uint8")
CROPPED = Input(size=224, crop=0.875)
# Everything that opens a path.
READERS = {
    "an image": read_image,
    "bands": lambda path: Planes(path, 6),
    "a damaged image": preprocess_damaged,
    "a mask": lambda path: preprocess_damaged({"image": NOISE, "mask": path}),
    "depths": depth_maps.read_depths,
    "a pair": lambda path: images_with_masks.read_pair(images_with_masks.Pair(path, path), 3),
    "to train on": images.size,
    "a volume": lambda path: find_task("volume-features").prepare(path, None),
}


def encoded(suffix):
    file = io.BytesIO()
    Image.fromarray(NOISE).save(file, {"jpg": "JPEG"}.get(suffix, suffix.upper()))
    return file.getvalue()


def png(width, height, bits=8):
    """A PNG that claims a size, and contains nothing."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def npy(shape, dtype="<f4", content=b""):
    file = io.BytesIO()
    np.lib.format.write_array_header_2_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue() + content


def sentence(read, path):
    """Why the file cannot be read; None where it can. Any other error is raised."""
    try:
        read(path)
    except zoo.errors.UnreadableError as error:
        return str(error)


SUFFIXES = ["png", "jpg", "gif", "bmp", "webp", "tiff", "qoi", "ico", "tga", "sgi", "pcx", "ppm", "dds", "jpeg2000"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_damaged_file_of_any_format_is_an_image_or_one_sentence(suffix, tmp_path):
    whole, generator = encoded(suffix), np.random.default_rng(1)
    path = tmp_path / f"photo.{suffix}"
    for trial in range(12):
        content = bytearray(whole[: len(whole) * trial // 6] if trial < 6 else whole)
        for place in generator.integers(0, max(1, len(content)), 6 if trial >= 6 else 0):
            content[place] = generator.integers(256)
        path.write_bytes(content)
        for read in (read_image, images.size):
            said = sentence(read, path)
            assert said is None or said.startswith(f"{path} cannot be read as an image (")


def test_what_pillow_raises_of_a_broken_qoi_names_the_file():
    path = os.path.join(GOLDEN, "broken.qoi")
    with pytest.raises(
        zoo.errors.UnreadableError, match=r"broken\.qoi cannot be read as an image \(index out of range"
    ):
        read_image(path)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "device", "folder"])
def test_what_is_not_a_regular_file_is_refused_at_once(reader, kind, tmp_path):
    path = tmp_path / "photo.jpg"
    if kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(tmp_path / "pipe.jpg")
        path = tmp_path / "pipe.jpg" if kind == "pipe" else path
        if kind != "pipe":
            path.symlink_to(tmp_path / "pipe.jpg")
    expected = "it is a folder" if kind == "folder" else "is a pipe or a device. Expected a regular file"
    with pytest.raises(zoo.InputError, match=rf"{path.name}.*{expected}"):
        READERS[reader](path)


@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_is_not_there_and_a_url(reader, tmp_path):
    with pytest.raises(zoo.InputError, match=r"There is no file .*nothing\.png"):
        READERS[reader](tmp_path / "nothing.png")
    for url in ("https://example.org/cat.png", "s3://bucket/cat.png", "data:image/png;base64,AAAA"):
        with pytest.raises(zoo.InputError, match=r"is a URL\. Expected a file on this machine: download it first"):
            READERS[reader](url)


def peak_mebibytes(call):
    tracemalloc.start()
    with pytest.raises(zoo.InputError) as raised:
        call()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return peak, str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy((10**12,)), r"claims 1,000,000,000,000 values"),
        (npy((10**6, 10**6, 3), "<f8"), r"claims"),
        (npy((1000, 1000), "<f4", b"1234"), r"claims 1,000,000 values, and it ends before"),
        (npy((4,), "|O"), r"does not contain an array of numbers"),
        (npy((4,), [("x", "<f4")]), r"does not contain an array of numbers"),
        (npy((-4,)), r"does not contain an array of numbers"),
        (b"\x93NUMPY\x02\0\xff\xff\xff\xff", r"header claims 4,294,967,295 bytes, more than 10,000"),
        (b"\x93NUMPY\x09\0\0\0\0\0", r"it has the version 9\.0"),
        (b"\x93NUMPY\x03\0", r"cannot be read as"),
        (b"\x93NUMPY\x01\0\xff\xff{'descr': ", r"cannot be read as"),
        (b"\x93NUMPY", r"cannot be read as"),
    ],
)  # fmt: skip
def test_an_array_that_claims_more_than_it_holds_costs_nothing(content, message, tmp_path):
    path = tmp_path / "array.npy"
    path.write_bytes(content)
    for source in (path, Content(content, "array.npy")):
        for read in (read_image, find_task("volume-segmentation").prepare, find_task("forecasting").prepare):
            arguments = () if read is read_image else (zoo.info("tcn-co2"),)
            peak, sentence = peak_mebibytes(lambda: read(source, *arguments))  # noqa: B023
            assert peak < 1
            assert "array.npy" in sentence
    with pytest.raises(zoo.InputError, match=message):
        read_npy(Content(content))


ARRAYS = {
    "float32": np.linspace(-1, 1, 24, dtype="float32").reshape(2, 3, 4),
    "big endian": np.arange(6, dtype=">i2").reshape(3, 2),
    "columns first": np.asfortranarray(np.arange(12, dtype="float64").reshape(3, 4)),
    "boolean": np.array([True, False]),
    "complex": np.array([1 + 2j]),
    "one number": np.array(3.5),
    "none": np.zeros((0, 3), "uint8"),
}


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_arrays_are_read_as_numpy_reads_them(array, version):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version)
    read = read_npy(Content(file.getvalue()))
    np.testing.assert_array_equal(read, array, strict=True)
    assert read.flags.writeable


def test_the_order_of_a_header_does_not_matter():
    header = b'{"shape":(2,),"descr": "<f4", "fortran_order": False}'
    content = np.array([1, 2], "<f4").tobytes()
    file = b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header + content
    np.testing.assert_array_equal(read_npy(Content(file)), [1, 2])


@pytest.mark.parametrize("suffix", ["npy", "tiff", "png"])
def test_files_are_read_without_the_parser_of_python(suffix, monkeypatch, tmp_path):
    """In Python 3.11 it fails where two threads parse at once, and files are read in threads."""
    path = tmp_path / f"image.{suffix}"
    np.save(path, NOISE) if suffix == "npy" else path.write_bytes(encoded(suffix))

    def parse(*_arguments, **_options):
        raise SystemError("AST constructor recursion depth mismatch (before=54, after=51)")

    monkeypatch.setattr(ast, "parse", parse)
    np.testing.assert_array_equal(Planes(path, 3).pixels(), NOISE)


def test_a_sparse_file_that_holds_what_it_claims_is_refused_too(tmp_path):
    path = tmp_path / "array.npy"
    path.write_bytes(npy((1 << 38,)))
    os.truncate(path, 1 << 41)
    peak, sentence = peak_mebibytes(lambda: read_npy(str(path)))
    assert peak < 1
    assert "more than 134,217,728" in sentence


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("width", "height"), [(10000, 10000), (13000, 13000), (60000, 60000), (2**31 - 1, 2**31 - 1)])
def test_an_image_that_would_be_unpacked_into_gigabytes_is_refused_before(width, height, tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(width, height))
    for read in (read_image, images.size, preprocess_damaged, lambda path: Planes(path, 4)):
        peak, sentence = peak_mebibytes(lambda: read(path))  # noqa: B023
        assert peak < 1
        assert "bomb.png cannot be read as an image" in sentence


@pytest.mark.parametrize(("width", "height"), [(1, 300_000), (300_000, 1), (3, 60_000)])
@pytest.mark.parametrize("mode", ["center", "border", "squash"])
def test_an_image_of_extreme_shape_costs_what_is_kept_of_it(width, height, mode, tmp_path):
    path = tmp_path / "thin.png"
    Image.new("L", (width, height), 200).save(path)
    tracemalloc.start()
    pixels = preprocess(path, CROPPED.model_copy(update={"crop_mode": mode}))
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()
    assert pixels.shape == (224, 224, 3)
    assert 200 in pixels


def test_only_the_box_that_the_crop_keeps_is_resized(monkeypatch):
    resized, resize = [], Image.Image.resize
    monkeypatch.setattr(
        Image.Image, "resize", lambda self, size, *rest: resized.append(size) or resize(self, size, *rest)
    )
    preprocess(np.zeros((4000, 2, 3), "uint8"), CROPPED)
    assert resized == [(224, 224)]


def test_a_document_that_another_program_would_run_is_not_an_image(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(x) print\n")
    with pytest.raises(zoo.errors.UnreadableError, match="not an image that Pillow knows"):
        read_image(tmp_path / "photo.jpg")
