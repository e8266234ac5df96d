"""`model.preprocess` as a TensorFlow graph: from the bytes of a JPEG or PNG to the model's pixels.

Tried: `dct_method="INTEGER_ACCURATE"` decodes as Pillow does; resizing the width, rounding, and then the height stays
within 1 of Pillow's 8-bit resampling. The plain calls are off by up to 16 and 5.
"""

import math
from typing import Any

import tensorflow as tf

from zoo.registry import Input

_ORIENTATION = 0x0112  # the EXIF tag
_HEAD_BYTES = 1 << 17  # EXIF lies in the first segments of a file, and a segment has at most 64 KiB
_MOST_ENTRIES = 512


def decoded_batch(contents: Any, spec: Input) -> Any:
    """Decode, turn upright, resize and crop: string `(batch,)` -> float32 `(batch, height, width, 3)`, 0 to 255.

    Without a `size` in `spec`, the pictures of a batch must be of one size.
    """
    shape = (spec.size, spec.size, 3)
    return tf.map_fn(
        lambda content: prepared(content, spec), contents, fn_output_signature=tf.TensorSpec(shape, tf.float32)
    )


def prepared(content: Any, spec: Input) -> Any:
    """One picture: scalar string -> float32 `(height, width, 3)`, whole numbers from 0 to 255."""
    picture = _decoded(content)
    if spec.size is None:
        return picture
    target = math.floor(spec.size / spec.crop)
    return _center_crop_or_pad(_resized(picture, target, spec), spec.size)


def _decoded(content: Any) -> Any:
    """Pixels in [0, 255]: EXIF orientation applied, 16 bits scaled to 8, transparency laid over white."""
    is_jpeg = tf.strings.substr(content, 0, 3) == b"\xff\xd8\xff"
    is_png = tf.strings.substr(content, 0, 16) == b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    known = tf.debugging.Assert(
        is_jpeg | is_png, ["The bytes are neither JPEG nor PNG. Expected the content of one such file."]
    )
    with tf.control_dependencies([known] if known is not None else []):  # in eager mode there is nothing to wait for
        return tf.cond(is_jpeg, lambda: _decoded_jpeg(content), lambda: _decoded_png(content))


def _decoded_jpeg(content: Any) -> Any:
    pixels = tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
    return _upright(tf.cast(pixels, tf.float32), _exif_orientation(content))


def _decoded_png(content: Any) -> Any:
    header = tf.strings.substr(content, 24, 2)  # bits a channel, kind of colours
    is_deep = tf.strings.substr(header, 0, 1) == b"\x10"
    is_coarse_grey = tf.reduce_any(header == [b"\x01\x00", b"\x02\x00", b"\x04\x00"])  # wrong with 4 channels
    pixels, opacity = tf.cond(
        is_coarse_grey,
        lambda: (_read_png(content, 3, tf.uint8), tf.constant([[[1.0]]])),
        lambda: _split(
            tf.cond(is_deep, lambda: _read_png(content, 4, tf.uint16), lambda: _read_png(content, 4, tf.uint8))
        ),
    )
    over_white = tf.round(pixels) * opacity + 255.0 * (1.0 - opacity)
    return tf.clip_by_value(tf.round(over_white), 0.0, 255.0)


def _read_png(content: Any, channels: int, dtype: Any) -> Any:
    return tf.cast(tf.io.decode_png(content, channels, dtype), tf.float32) * (255 / dtype.max)


def _split(pixels: Any) -> Any:
    return pixels[..., :3], pixels[..., 3:] / 255.0


def _upright(picture: Any, orientation: Any) -> Any:
    """EXIF's eight orientations are a transposition, then a mirroring of columns, of rows, or of both."""
    picture = tf.cond(orientation >= 5, lambda: tf.transpose(picture, (1, 0, 2)), lambda: picture)
    mirrored = tf.reduce_any(orientation == [2, 3, 6, 7])
    flipped = tf.reduce_any(orientation == [3, 4, 7, 8])
    picture = tf.cond(mirrored, lambda: picture[:, ::-1], lambda: picture)
    return tf.cond(flipped, lambda: picture[::-1], lambda: picture)


def _exif_orientation(content: Any) -> Any:
    """The orientation of a JPEG, 1 to 8; 1 where it says nothing. The segments are walked up to EXIF's."""
    size = tf.minimum(tf.strings.length(content), _HEAD_BYTES)
    head = tf.cast(tf.io.decode_raw(tf.strings.substr(content, 0, size), tf.uint8), tf.int32)
    data = tf.pad(head, [[0, 64]])  # so that a look beyond the end finds zeros

    def is_other_segment(position):
        is_marker = (position < size) & (data[tf.minimum(position, size)] == 0xFF)
        marker = data[tf.minimum(position, size) + 1]
        is_exif = (marker == 0xE1) & tf.reduce_all(_slice(data, size, position + 4, 4) == list(b"Exif"))
        return is_marker & (marker != 0xDA) & ~is_exif

    def next_segment(position):
        length = _slice(data, size, position + 2, 2)
        return position + 2 + tf.maximum(length[0] * 256 + length[1], 2)

    position = tf.while_loop(is_other_segment, lambda at: (next_segment(at),), (tf.constant(2),))[0]
    found = (position < size) & tf.reduce_all(_slice(data, size, position + 4, 4) == list(b"Exif"))
    return tf.cond(found, lambda: _tiff_orientation(data[tf.minimum(position + 10, size) :]), lambda: tf.constant(1))


def _tiff_orientation(tiff: Any) -> Any:
    """Read the tag from the first directory of a TIFF header, in either byte order."""
    is_little = tiff[0] == ord("I")
    size = tf.shape(tiff)[0] - 16

    def number(values):  # the bytes of one number or of many, last axis
        values = tf.where(is_little, tf.reverse(values, [-1]), values)
        return tf.reduce_sum(values * [256 ** (1 - index) for index in range(2)], axis=-1)

    directory = number(_slice(tiff, size, tf.where(is_little, 4, 6), 2))  # its upper half is 0 in a JPEG's header
    count = tf.minimum(number(_slice(tiff, size, directory, 2)), _MOST_ENTRIES)
    entries = tf.pad(tiff, [[0, 12 * _MOST_ENTRIES]])[directory + 2 :][: 12 * count]
    entries = tf.reshape(entries, (count, 12))  # tag, type, how many, value
    values = number(tf.boolean_mask(entries, number(entries[:, :2]) == _ORIENTATION)[:, 8:10])
    value = tf.reduce_max(tf.concat([values, [1]], 0))
    return tf.where((value >= 1) & (value <= 8), value, 1)


def _slice(data: Any, size: Any, start: Any, length: int) -> Any:
    return data[tf.minimum(start, size) :][:length]


def _resized(picture: Any, target: int, spec: Input) -> Any:
    height, width = tf.shape(picture)[0], tf.shape(picture)[1]
    if spec.crop_mode == "squash":
        new_height = new_width = tf.constant(target)
    elif spec.crop_mode == "border":
        ratio = tf.cast(tf.maximum(height, width), tf.float64) / target
        new_height, new_width = (
            tf.maximum(1, tf.cast(tf.round(tf.cast(side, tf.float64) / ratio), tf.int32)) for side in (height, width)
        )
    else:
        long = target * tf.maximum(height, width) // tf.minimum(height, width)
        new_height = tf.where(width <= height, long, target)
        new_width = tf.where(width <= height, target, long)
    for size in ((height, new_width), (new_height, new_width)):
        picture = tf.image.resize(picture, size, method=spec.interpolation, antialias=True)
        picture = tf.clip_by_value(tf.round(picture), 0.0, 255.0)
    return picture


def _center_crop_or_pad(picture: Any, size: int) -> Any:
    def pad(length):
        before = tf.maximum(0, (size - length) // 2)
        return [before, tf.maximum(0, size - length) - before]

    def start(length):
        return tf.cast(tf.round(tf.cast(length - size, tf.float64) / 2), tf.int32)  # halves to even, as in Python

    shape = tf.shape(picture)
    picture = tf.pad(picture, [pad(shape[0]), pad(shape[1]), [0, 0]])
    shape = tf.shape(picture)
    top, left = start(shape[0]), start(shape[1])
    return tf.ensure_shape(picture[top : top + size, left : left + size], (size, size, 3))
