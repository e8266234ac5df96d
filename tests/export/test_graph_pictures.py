"""The graph's decoding, turning, resizing and cropping against Pillow's."""

import functools
import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from recipes.photographs import photograph
from zoo.export.graph_pictures import decoded_batch, prepared
from zoo.preprocessing import preprocess
from zoo.registry import Input

WHOLE = Input()
SPECS = {
    "as it is": WHOLE,
    "bicubic": Input(size=224, crop=0.875),
    "bilinear": Input(size=160, crop=0.95, interpolation="bilinear"),
    "squash": Input(size=300, crop=1.0, crop_mode="squash"),
    "border": Input(size=256, crop=0.9, crop_mode="border"),
    "tiny": Input(size=33),
}


@functools.cache
def in_graph(spec):
    return tf.function(lambda content: prepared(content, spec), input_signature=[tf.TensorSpec([], tf.string)])


def encoded(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def difference(content, spec):
    """The largest difference between the graph and `model.preprocess`, of 255."""
    expected = preprocess(Image.open(io.BytesIO(content)), spec).astype("float32")
    outputs = in_graph(spec)(content).numpy()
    assert outputs.shape == expected.shape
    return np.abs(outputs - expected).max()


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("photo", ["coffee.png", "chelsea.png", "rocket.jpg"])
def test_photographs_are_prepared_as_pillow_does(name, photo):
    picture = photograph(photo)
    assert difference(encoded(picture, "PNG"), SPECS[name]) <= 2
    assert difference(encoded(picture.resize((71, 97)), "PNG"), SPECS[name]) <= 2
    assert difference(encoded(picture, "JPEG", quality=85), SPECS[name]) <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_telephones_orientation_is_applied(orientation, order):
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F], exif[0x0112] = "maker", orientation
    picture = photograph("rocket.jpg").resize((60, 40))
    assert difference(encoded(picture, "JPEG", exif=exif), WHOLE) <= 2


@pytest.mark.parametrize("kind", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png(kind):
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype="uint8")
    picture = Image.fromarray(noise)
    if kind == "I;16":
        picture = Image.fromarray(noise.view("uint16")[..., 0].copy())
    elif kind != "RGBA":
        picture = picture.convert(kind)
    assert picture.mode == kind
    assert difference(encoded(picture, "PNG"), WHOLE) <= 2


@pytest.mark.parametrize(
    ("mode", "options"),
    [("L", {}), ("CMYK", {}), ("RGB", {"progressive": True}), ("RGB", {"subsampling": 0}), ("RGB", {"subsampling": 1})],
)
def test_every_kind_of_jpeg(mode, options):
    picture = photograph("rocket.jpg").resize((61, 43)).convert(mode)
    assert difference(encoded(picture, "JPEG", **options), WHOLE) <= 2


def test_a_batch_of_different_sizes_becomes_one_tensor():
    picture = photograph("coffee.png")
    contents = [encoded(picture, "JPEG"), encoded(picture.resize((50, 60)), "PNG")]
    assert decoded_batch(tf.constant(contents), SPECS["tiny"]).shape == (2, 33, 33, 3)


@pytest.mark.parametrize("content", [b"", b"hello", b"GIF89a\x01\x00", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"])
def test_bytes_that_are_no_picture_are_refused(content):
    message = "Invalid JPEG data" if content[:3] == b"\xff\xd8\xff" else "neither JPEG nor PNG"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        in_graph(WHOLE)(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_file_is_refused(kind):
    content = encoded(photograph("rocket.jpg"), kind)
    with pytest.raises(tf.errors.InvalidArgumentError):
        in_graph(WHOLE)(content[: len(content) // 2])
