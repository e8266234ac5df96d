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

_KERNELS = {"bicubic": "keyscubic", "bilinear": "triangle"}
_LUMINANCE = (19595, 38470, 7471)  # Pillow's, of 65536


@functools.cache
def decoder(spec: Input) -> Any:
    """`decoded_batch` as one function, traced once: the signature contains it, and its outputs are checked by it."""
    contents = tf.TensorSpec((None,), tf.string)
    return tf.function(lambda files: decoded_batch(files, spec), input_signature=[contents], autograph=False)


def decoded_batch(contents: Any, spec: Input) -> Any:
    """Decode, turn upright, resize and crop: string `(batch,)` -> float32 `(batch, height, width, channels)`, 0 to 255.

    Channels are 3, or 1 for a model of grey images. Without a `size` in `spec`, the images of a batch must be of one
    size.
    """
    shape = (spec.size, spec.size, len(spec.mean))
    waiting = []
    if spec.size is None:
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
    if spec.size is not None:
        image = _resized(image, spec.size, math.floor(spec.size / spec.crop), spec)
    return _grey(image) if len(spec.mean) == 1 else image


def _grey(image: Any) -> Any:
    summed = tf.reduce_sum(tf.cast(image, tf.int32) * _LUMINANCE, axis=-1, keepdims=True)
    return tf.cast((summed + 32768) // 65536, tf.float32)


def _resized(image: Any, size: int, target: int, spec: Input) -> Any:
    """Resize to `target`, of which the middle `size` x `size` is kept; what is smaller stands on black."""
    height, width = tf.unstack(tf.shape(image, tf.int64)[:2])
    new_height, new_width = _new_size(height, width, target, spec.crop_mode)
    top, kept_height = _kept(new_height, size)
    left, kept_width = _kept(new_width, size)

    def scaled(image, shape, scale, offset):
        image = tf.raw_ops.ScaleAndTranslate(
            images=image,
            size=tf.cast(shape, tf.int32),
            scale=tf.cast(scale, tf.float32),
            translation=tf.cast(offset, tf.float32),
            kernel_type=_KERNELS[spec.interpolation],
            antialias=True,
        )
        return tf.clip_by_value(tf.round(image), 0.0, 255.0)

    image = scaled(image[None], (height, kept_width), (1.0, new_width / width), (0, -left))
    image = scaled(image, (kept_height, kept_width), (new_height / height, 1.0), (-top, 0))[0]
    before = [(size - kept) // 2 for kept in (kept_height, kept_width)]
    after = [size - kept - space for kept, space in zip((kept_height, kept_width), before, strict=True)]
    image = tf.pad(image, [[before[0], after[0]], [before[1], after[1]], [0, 0]])
    return tf.ensure_shape(image, (size, size, 3))


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
