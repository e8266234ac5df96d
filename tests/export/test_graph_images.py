"""The graph's decoding, turning, resizing and cropping against Pillow's."""

import functools
import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, PngImagePlugin

from recipes.photographs import photograph
from tests.export import png_files
from tests.marked_cases import first_of_each, slow_except
from zoo.catalogue.entry import Input
from zoo.export.graph_images import decoded_batch, prepared
from zoo.imaging.preprocessing import preprocess

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
    signature = [tf.TensorSpec([], tf.string)]
    return tf.function(lambda content: prepared(content, spec), input_signature=signature, autograph=False)


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def difference(content, spec):
    """The largest difference between the graph and `model.preprocess`, of 255."""
    expected = preprocess(Image.open(io.BytesIO(content)), spec).astype("float32")
    outputs = in_graph(spec)(content).numpy()
    assert outputs.shape == expected.shape
    return np.abs(outputs - expected).max()


@pytest.mark.parametrize("name", slow_except(["bicubic", "border"], SPECS))
@pytest.mark.parametrize("photo", first_of_each(["rocket.jpg", "coffee.png", "chelsea.png"]))
def test_photographs_are_prepared_as_pillow_does(name, photo):
    image = photograph(photo)
    assert difference(encoded(image, "PNG"), SPECS[name]) <= 2
    assert difference(encoded(image.resize((71, 97)), "PNG"), SPECS[name]) <= 2
    assert difference(encoded(image, "JPEG", quality=85), SPECS[name]) <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_telephones_orientation_is_applied(orientation, order):
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F], exif[0x0112] = "maker", orientation
    image = photograph("rocket.jpg").resize((60, 40))
    assert difference(encoded(image, "JPEG", exif=exif), WHOLE) <= 2
    assert difference(encoded(image, "PNG", exif=exif), WHOLE) == 0


@pytest.mark.parametrize("text", [b'tiff:Orientation="6"', b"<tiff:Orientation>3</tiff:Orientation>"])
def test_an_orientation_in_xmp_counts_where_exif_has_none(text):
    image = photograph("rocket.jpg").resize((60, 40))
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">\n' + text + b"</x:xmpmeta>"
    upright = encoded(image, "JPEG")
    assert difference(encoded(image, "JPEG", xmp=xmp), WHOLE) <= 2
    assert not np.array_equal(in_graph(WHOLE)(encoded(image, "JPEG", xmp=xmp)), in_graph(WHOLE)(upright))
    assert difference(encoded(image, "JPEG", xmp=xmp, exif=oriented(8)), WHOLE) <= 2
    information = PngImagePlugin.PngInfo()
    information.add_itxt("XML:com.adobe.xmp", xmp.decode())
    assert difference(encoded(image, "PNG", pnginfo=information), WHOLE) == 0


def oriented(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("kind", png_files.KINDS, ids=str)
def test_every_kind_of_png(kind):
    assert difference(png_files.png(*kind), WHOLE) <= 2
    assert difference(png_files.png(*kind), SPECS["tiny"]) <= 2


def test_chunks_beside_the_pixels_change_nothing():
    exif = (b"eXIf", b"II*\0\x08\0\0\0\0\0\0\0\0\0")  # without a tag
    extra = [(b"tEXt", b"Comment\0" + 3000 * b"tRNS"), (b"gAMA", b"\0\0\xb1\x8f"), exif]
    assert difference(png_files.png(png_files.INDEXED, 4, extra=extra), WHOLE) == 0


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 1}, {"keep_rgb": True}], ids=str
)
def test_every_kind_of_jpeg(mode, options):
    content = encoded(photograph("rocket.jpg").resize((61, 43)).convert(mode), "JPEG", **options)
    assert difference(content, WHOLE) <= 2
    assert difference(content, SPECS["tiny"]) <= 2


@pytest.mark.parametrize("progressive", [False, True])
def test_cmyk_with_and_without_the_segment_that_says_how(progressive):
    content = encoded(photograph("rocket.jpg").resize((61, 43)).convert("CMYK"), "JPEG", progressive=progressive)
    start = content.index(b"\xff\xee\x00\x0eAdobe")
    ycck = content[: start + 15] + b"\x02" + content[start + 16 :]
    assert difference(ycck, WHOLE) <= 2
    plain = content[:start] + content[start + 16 :]
    assert difference(plain, WHOLE) <= 2


def test_fill_bytes_before_a_segment_are_skipped():
    content = encoded(photograph("rocket.jpg").resize((61, 43)), "JPEG", exif=oriented(6))
    assert difference(content[:2] + 5 * b"\xff" + content[2:], WHOLE) <= 2


@pytest.mark.parametrize("size", [(300, 1), (1, 300), (2, 199)])
@pytest.mark.parametrize("name", ["bicubic", "squash", "border"])
def test_only_what_is_kept_of_a_thin_image_is_computed(size, name):
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype="uint8")
    assert difference(encoded(Image.fromarray(noise), "PNG"), SPECS[name]) <= 2


def test_a_model_of_grey_images_gets_them_grey():
    grey = Input(size=33, mean=(0.5,), std=(0.5,))
    image = photograph("coffee.png").resize((71, 97))
    assert difference(encoded(image, "PNG"), grey) <= 2
    assert difference(encoded(image.convert("L"), "JPEG"), Input(mean=(0.5,), std=(0.5,))) <= 2


def test_a_batch_without_a_size_has_one_or_is_reported_so():
    image = photograph("coffee.png").resize((40, 30))
    turned = encoded(image.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=oriented(6))
    signature = [tf.TensorSpec([None], tf.string)]
    batch = tf.function(lambda contents: decoded_batch(contents, WHOLE), input_signature=signature, autograph=False)
    assert batch(tf.constant([encoded(image, "PNG"), turned])).shape == (2, 30, 40, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"have different sizes.*Expected one size per call"):
        batch(tf.constant([encoded(image, "PNG"), encoded(image.resize((40, 31)), "JPEG")]))


def test_a_batch_of_different_sizes_becomes_one_tensor():
    image = photograph("coffee.png")
    contents = [encoded(image, "JPEG"), encoded(image.resize((50, 60)), "PNG")]
    assert decoded_batch(tf.constant(contents), SPECS["tiny"]).shape == (2, 33, 33, 3)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n"]
)
def test_bytes_that_are_not_an_image_are_refused(content):
    message = "Invalid JPEG data" if content[:3] == b"\xff\xd8\xff" else "neither JPEG nor PNG"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        in_graph(WHOLE)(content)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "WEBP", "TIFF", "PPM"])
def test_files_of_other_kinds_are_refused(kind):
    with pytest.raises(tf.errors.InvalidArgumentError, match="neither JPEG nor PNG"):
        in_graph(WHOLE)(encoded(photograph("rocket.jpg").resize((20, 30)), kind))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_file_is_refused(kind):
    content = encoded(photograph("rocket.jpg"), kind)
    with pytest.raises(tf.errors.InvalidArgumentError):
        in_graph(WHOLE)(content[: len(content) // 2])
