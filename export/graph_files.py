"""From the bytes of a JPEG or PNG file to upright pixels, as a TensorFlow graph that reads what Pillow reads.

TensorFlow's decoders see neither orientation nor, in three cases, the pixels that Pillow sees:

- PNG, asked for four channels: an image without transparency whose samples have fewer than 8 bits gets an opacity of
  1, 3 or 15 of 255. So it is asked for four only where there is transparency that Pillow knows.
- PNG whose one transparent colour (tRNS) has 2, 4 or 16 bits a sample: Pillow compares it with samples of 8 bits.
- JPEG in CMYK without Adobe's segment: Pillow takes it to be inverted all the same.

`dct_method="INTEGER_ACCURATE"` decodes as Pillow does; the plain call is off by up to 16.
"""

from typing import Any

import tensorflow as tf

_MOST_PARTS = 1 << 14  # chunks or segments that are looked at; a file of more has no orientation
_ORIENTATION = 0x0112  # the EXIF tag
_MOST_EXIF_BYTES = 1 << 16
_MOST_ENTRIES = 512
_ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
_FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))  # markers with a size


def decoded(content: Any) -> Any:
    """Scalar string -> float32 `(height, width, 3)`, RGB, whole numbers from 0 to 255; transparency lies over white."""
    is_jpeg = _is_jpeg(content)
    is_png = tf.strings.substr(content, 0, 16) == b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    known = tf.debugging.Assert(
        is_jpeg | is_png,
        ["The bytes are neither JPEG nor PNG. Expected the content of one such file; convert GIF, BMP or WebP first."],
    )
    with tf.control_dependencies([known] if known is not None else []):  # in eager mode there is nothing to wait for
        return tf.cond(is_jpeg, lambda: _decoded_jpeg(content), lambda: _decoded_png(content))


def upright_size(content: Any) -> Any:
    """Scalar string -> int32 `(2,)`, height and width as `decoded` gives them, without decoding."""

    def jpeg():
        size = tf.io.extract_jpeg_shape(content)[:2]
        return size, _orientation(content, *_jpeg_parts(content)[:3])

    def png():
        size = _numbers(tf.strings.substr(content, 16, 8), tf.int32)[::-1]
        return size, _orientation(content, *_png_parts(content)[:3])

    size, orientation = tf.cond(_is_jpeg(content), jpeg, png)
    return tf.where(orientation >= 5, size[::-1], size)


def _is_jpeg(content: Any) -> Any:
    return tf.strings.substr(content, 0, 3) == b"\xff\xd8\xff"


def _decoded_jpeg(content: Any) -> Any:
    exif, xmp, xmp_size, is_plain_cmyk = _jpeg_parts(content)
    readable = tf.cond(
        is_plain_cmyk,
        lambda: tf.strings.join([b"\xff\xd8" + _ADOBE, tf.strings.substr(content, 2, tf.strings.length(content))]),
        lambda: content,
    )
    pixels = tf.io.decode_jpeg(readable, channels=3, dct_method="INTEGER_ACCURATE")
    return _upright(tf.cast(pixels, tf.float32), _orientation(content, exif, xmp, xmp_size))


def _decoded_png(content: Any) -> Any:
    exif, xmp, xmp_size, has_transparency = _png_parts(content)
    bits, kind = tf.unstack(_numbers(tf.strings.substr(content, 24, 2), tf.uint8), num=2)
    is_grey, is_rgb, is_indexed = (kind == 0), (kind == 2), (kind == 3)
    is_known = is_indexed | (bits == 8) | (is_grey & (bits == 1))
    has_opacity = (kind >= 4) | (has_transparency & is_known & (is_grey | is_rgb | is_indexed))

    def over_white():
        pixels = _read_png(content, 4, tf.uint8)
        opacity = pixels[..., 3:] / 255.0
        return pixels[..., :3] * opacity + 255.0 * (1.0 - opacity)

    pixels = tf.cond(
        has_opacity,
        over_white,
        lambda: tf.cond(  # Pillow keeps the 16 bits of grey only
            is_grey & (bits == 16), lambda: _read_png(content, 3, tf.uint16), lambda: _read_png(content, 3, tf.uint8)
        ),
    )
    return _upright(tf.clip_by_value(tf.round(pixels), 0.0, 255.0), _orientation(content, exif, xmp, xmp_size))


def _read_png(content: Any, channels: int, dtype: Any) -> Any:
    return tf.cast(tf.io.decode_png(content, channels, dtype), tf.float32) * (255 / dtype.max)


def _jpeg_parts(content: Any) -> tuple[Any, Any, Any, Any]:
    """Where EXIF and XMP begin (0 for nowhere), the length of XMP, and whether it is CMYK without Adobe's segment."""
    size = tf.strings.length(content)

    def is_header(position, *_):
        header = tf.strings.substr(content, tf.minimum(position, size), 2)
        return (position + 10 <= size) & (tf.strings.substr(header, 0, 1) == b"\xff") & (header != b"\xff\xda")

    def read(position, exif, xmp, xmp_size, channels, has_adobe):
        header = tf.cast(_numbers(tf.strings.substr(content, position, 10), tf.uint8), tf.int32)
        marker, length = header[1], tf.maximum(256 * header[2] + header[3], 2)
        begins = tf.strings.substr(content, position + 4, 6)
        is_xmp = (marker == 0xE1) & (begins == b"http:/")
        exif = tf.where((marker == 0xE1) & (begins == b"Exif\0\0") & (exif == 0), position + 10, exif)
        xmp, xmp_size = tf.where(is_xmp, position + 4, xmp), tf.where(is_xmp, length - 2, xmp_size)
        channels = tf.where(tf.reduce_any(marker == _FRAMES), header[9], channels)
        has_adobe |= (marker == 0xEE) & (tf.strings.substr(begins, 0, 5) == b"Adobe")
        step = tf.where(marker == 0xFF, 1, 2 + length)  # a marker may follow any number of 0xFF
        return position + step, exif, xmp, xmp_size, channels, has_adobe

    start = (tf.constant(2), *(tf.constant(0) for _ in range(4)), tf.constant(False))
    found = tf.while_loop(is_header, read, start, parallel_iterations=1, maximum_iterations=_MOST_PARTS)
    return *found[1:4], (found[4] == 4) & ~found[5]


def _png_parts(content: Any) -> tuple[Any, Any, Any, Any]:
    """Where EXIF and XMP begin (0 for nowhere), the length of XMP, and whether a colour is declared transparent."""
    size = tf.cast(tf.strings.length(content), tf.int64)
    zero = tf.constant(0, tf.int64)

    def is_chunk(position, *_):
        return position + 12 <= size

    def read(position, exif, xmp, xmp_size, has_transparency):
        length = tf.cast(_numbers(tf.strings.substr(content, position, 4), tf.int32)[0], tf.int64)
        length = tf.where(length < 0, size, length)  # 2 GiB and more: no chunk follows
        name = tf.strings.substr(content, position + 4, 4)
        keyword = tf.strings.substr(content, position + 8, tf.minimum(length, 18))
        is_xmp = (name == b"iTXt") & (keyword == b"XML:com.adobe.xmp\0")
        exif = tf.where((name == b"eXIf") & (exif == 0), position + 8, exif)
        xmp, xmp_size = tf.where(is_xmp, position + 8, xmp), tf.where(is_xmp, length, xmp_size)
        return position + 12 + length, exif, xmp, xmp_size, has_transparency | (name == b"tRNS")

    start = (tf.constant(8, tf.int64), zero, zero, zero, tf.constant(False))
    found = tf.while_loop(is_chunk, read, start, parallel_iterations=1, maximum_iterations=_MOST_PARTS)
    return *(tf.cast(tf.minimum(number, size), tf.int32) for number in found[1:4]), found[4]


def _orientation(content: Any, exif: Any, xmp: Any, xmp_size: Any) -> Any:
    """EXIF's orientation; where it has none, that of XMP; 1 where neither says anything."""

    def from_xmp():
        pattern = r'(?s)^.*?tiff:Orientation(?:="|>)([0-9]).*$'
        value = tf.strings.regex_replace(tf.strings.substr(content, xmp, xmp_size), pattern, r"\1")
        is_one = tf.strings.length(value) == 1
        return tf.strings.to_number(tf.where(is_one, value, "1"), tf.int32)

    value = tf.cond(exif > 0, lambda: _tiff_orientation(content, exif), lambda: tf.constant(0))
    return tf.cond((value == 0) & (xmp > 0), from_xmp, lambda: value)


def _tiff_orientation(content: Any, start: Any) -> Any:
    """Read the tag from the first directory of a TIFF header, in either byte order; 0 where it is not there."""
    tiff = tf.cast(_numbers(tf.strings.substr(content, start, _MOST_EXIF_BYTES), tf.uint8), tf.int32)
    size = tf.shape(tiff)[0]
    tiff = tf.pad(tiff, [[0, 64]])  # so that a look beyond the end finds zeros
    is_little = tiff[0] == ord("I")

    def number(values):  # the bytes of one number or of many, last axis
        values = tf.where(is_little, tf.reverse(values, [-1]), values)
        return tf.reduce_sum(values * [256, 1], axis=-1)

    def part(start, length):
        return tiff[tf.minimum(start, size) :][:length]

    directory = number(part(tf.where(is_little, 4, 6), 2))  # its upper half is 0 in an image's header
    count = tf.minimum(number(part(directory, 2)), _MOST_ENTRIES)
    entries = tf.pad(tiff, [[0, 12 * _MOST_ENTRIES]])[directory + 2 :][: 12 * count]
    entries = tf.reshape(entries, (count, 12))  # tag, type, how many, value
    values = number(tf.boolean_mask(entries, number(entries[:, :2]) == _ORIENTATION)[:, 8:10])
    return tf.reduce_max(tf.concat([values, [0]], 0))


def _upright(image: Any, orientation: Any) -> Any:
    """EXIF's eight orientations are a transposition, then a mirroring of columns, of rows, or of both."""
    image = tf.cond((orientation >= 5) & (orientation <= 8), lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
    mirrored = tf.reduce_any(orientation == [2, 3, 6, 7])
    flipped = tf.reduce_any(orientation == [3, 4, 7, 8])
    image = tf.cond(mirrored, lambda: image[:, ::-1], lambda: image)
    return tf.cond(flipped, lambda: image[::-1], lambda: image)


def _numbers(content: Any, dtype: Any) -> Any:
    """The numbers in a string, most significant byte first."""
    return tf.io.decode_raw(content, dtype, little_endian=False)
