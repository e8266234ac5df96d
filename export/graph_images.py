"""`model.preprocess` as a TensorFlow graph: from the bytes of a JPEG or PNG to the model's pixels.

Resizing the width, rounding, and then the height stays within 1 of Pillow's 8-bit resampling; `tf.image.resize` of
both at once is off by up to 5. Only what the crop keeps is computed: a thin image would become gigabytes.
"""

import functools
import math
from typing import Any

import tensorflow as tf

from zoo.catalogue.entry import Input
from zoo.export.graph_files import decoded, upright_size
from zoo.imaging.preprocessing import WHOLE, fill_levels

_KERNELS = {"bicubic": "keyscubic", "bilinear": "triangle"}
_LUMINANCE = (19595, 38470, 7471)  # Pillow's, of 65536


@functools.cache
def decoder(spec: Input) -> Any:
    """`decoded_batch` as one function, traced once: the signature contains it, and its outputs are checked by it."""
    contents = tf.TensorSpec((None,), tf.string)
    return tf.function(lambda files: decoded_batch(files, spec), input_signature=[contents], autograph=False)


def decoded_batch(contents: Any, spec: Input) -> Any:
    """Decode, turn upright, resize and crop: string `(batch,)` -> float32 `(batch, height, width, channels)`, 0 to 255.

    Channels are 3, or 1 for a model of grey images. Without a `size` in `spec`, or with it for one side only, the
    images of a batch must be of one size.
    """
    is_open = spec.size is None or spec.crop_mode == "shortest"
    shape = (None, None, len(spec.mean)) if is_open else (spec.size, spec.size, len(spec.mean))
    waiting = []
    if is_open:
        sizes = tf.map_fn(upright_size, contents, fn_output_signature=tf.TensorSpec((2,), tf.int32))
        problem = ["The images of one call have different sizes (height, width):", sizes, "Expected one size per call."]
        equal = tf.debugging.Assert(tf.reduce_all(sizes == sizes[:1]), problem)
        waiting = [] if equal is None else [equal]  # in eager mode there is nothing to wait for
    with tf.control_dependencies(waiting):
        return tf.map_fn(
            lambda content: prepared(content, spec), contents, fn_output_signature=tf.TensorSpec(shape, tf.float32)
        )


def prepared(content: Any, spec: Input) -> Any:
    """One image: scalar string -> float32 `(height, width, channels)`, whole numbers from 0 to 255."""
    image = decoded(content)
    if spec.crop_mode in WHOLE or not spec.antialias:
        image = _whole(image, spec)
    elif spec.size is not None:
        image = _resized(image, spec.size, math.floor(spec.size / spec.crop), spec)
    if spec.channels == "bgr":
        image = image[..., ::-1]
    return _grey(image) if len(spec.mean) == 1 else image


def in_whole(boxes: Any, contents: Any, spec: Input) -> Any:
    """`zoo.imaging.boxes.in_whole` for a batch: boxes `(batch, count, 4)` in pixels of the files, string `(batch,)`."""
    sizes = tf.map_fn(upright_size, contents, fn_output_signature=tf.TensorSpec((2,), tf.int32))
    height, width = (tf.cast(sizes[:, axis], tf.float64) for axis in range(2))
    if spec.crop_mode == "letterbox" and spec.size is not None:
        across = down = 1 / tf.minimum(spec.size / width, spec.size / height)
    else:
        seen_height, seen_width = _whole_size(height, width, spec)
        across, down = width / tf.cast(seen_width, tf.float64), height / tf.cast(seen_height, tf.float64)
    scale = tf.cast(tf.stack([across, down, across, down], axis=-1), tf.float32)
    ends = tf.cast(tf.stack([width, height, width, height], axis=-1), tf.float32)
    return tf.clip_by_value(boxes * scale[:, None], 0.0, ends[:, None])


def _whole_size(height: Any, width: Any, spec: Input) -> tuple[Any, Any]:
    """`zoo.imaging.preprocessing.whole_size`, of float64 sides: int64."""
    if spec.size is None:
        return tf.cast(height, tf.int64), tf.cast(width, tf.int64)
    side = tf.ones_like(height) * spec.size
    if spec.crop_mode not in WHOLE:
        return tf.cast(side, tf.int64), tf.cast(side, tf.int64)
    if spec.crop_mode == "letterbox":
        scale = tf.minimum(side / width, side / height)
    else:
        scale = side / tf.minimum(height, width)
        if spec.longest is not None:
            scale = tf.minimum(scale, spec.longest / tf.maximum(height, width))
    new_height, new_width = (tf.maximum(tf.cast(length * scale, tf.int64), 1) for length in (height, width))
    return new_height, new_width


def _whole(image: Any, spec: Input) -> Any:
    """All of an image, as a detector sees it."""
    height, width = tf.unstack(tf.cast(tf.shape(image)[:2], tf.float64))
    new_height, new_width = _whole_size(height, width, spec)
    if spec.antialias:
        across, down = (tf.cast(new, tf.float64) / old for new, old in ((new_width, width), (new_height, height)))
        image = _scaled(image[None], spec, (tf.shape(image, tf.int64)[0], new_width), (1.0, across), (0, 0))
        image = _scaled(image, spec, (new_height, new_width), (down, 1.0), (0, 0))[0]
    else:
        size = tf.cast(tf.stack([new_height, new_width]), tf.int32)
        image = tf.clip_by_value(tf.round(tf.image.resize(image, size, spec.interpolation)), 0.0, 255.0)
    if spec.crop_mode == "letterbox" and spec.size is not None:
        right, below = spec.size - new_width, spec.size - new_height
        fill = tf.constant(fill_levels(spec), tf.float32)
        image = tf.pad(image - fill, [[0, below], [0, right], [0, 0]]) + fill  # whole numbers: nothing is rounded
    return tf.ensure_shape(image, (None, None, 3))


def _grey(image: Any) -> Any:
    summed = tf.reduce_sum(tf.cast(image, tf.int32) * _LUMINANCE, axis=-1, keepdims=True)
    return tf.cast((summed + 32768) // 65536, tf.float32)


def _resized(image: Any, size: int, target: int, spec: Input) -> Any:
    """Resize to `target`, of which the middle `size` x `size` is kept; what is smaller stands on black."""
    height, width = tf.unstack(tf.shape(image, tf.int64)[:2])
    new_height, new_width = _new_size(height, width, target, spec.crop_mode)
    top, kept_height = _kept(new_height, size)
    left, kept_width = _kept(new_width, size)

    image = _scaled(image[None], spec, (height, kept_width), (1.0, new_width / width), (0, -left))
    image = _scaled(image, spec, (kept_height, kept_width), (new_height / height, 1.0), (-top, 0))[0]
    before = [(size - kept) // 2 for kept in (kept_height, kept_width)]
    after = [size - kept - space for kept, space in zip((kept_height, kept_width), before, strict=True)]
    image = tf.pad(image, [[before[0], after[0]], [before[1], after[1]], [0, 0]])
    return tf.ensure_shape(image, (size, size, 3))


def _scaled(image: Any, spec: Input, shape: Any, scale: Any, offset: Any) -> Any:
    image = tf.raw_ops.ScaleAndTranslate(
        images=image,
        size=tf.cast(shape, tf.int32),
        scale=tf.cast(scale, tf.float32),
        translation=tf.cast(offset, tf.float32),
        kernel_type=_KERNELS[spec.interpolation],
        antialias=True,
    )
    return tf.clip_by_value(tf.round(image), 0.0, 255.0)


def _new_size(height: Any, width: Any, target: int, crop_mode: str) -> tuple[Any, Any]:
    short = tf.constant(target, tf.int64)
    if crop_mode == "squash":
        return short, short
    if crop_mode == "border":
        ratio = tf.maximum(height, width) / short
        rounded = (tf.cast(tf.round(tf.cast(side, tf.float64) / ratio), tf.int64) for side in (height, width))
        new_height, new_width = (tf.maximum(side, 1) for side in rounded)
        return new_height, new_width
    long = short * tf.maximum(height, width) // tf.minimum(height, width)
    return tf.where(width <= height, long, short), tf.where(width <= height, short, long)


def _kept(length: Any, size: int) -> tuple[Any, Any]:
    """Where the middle `size` of a side begins, and how long it is."""
    start = tf.cast(tf.round(tf.cast(length - size, tf.float64) / 2), tf.int64)  # halves to even, as in Python
    return tf.maximum(start, 0), tf.minimum(length, tf.constant(size, tf.int64))
