"""Inpainting by partial convolutions, and a plain twin. Liu et al., 2018, https://arxiv.org/abs/1804.07723, section 3.

A U-Net whose convolutions see only what is valid; each returns, beside its features, the mask of where they are valid,
and so the hole closes layer by layer. The twin is the same U-Net of ordinary convolutions, which the mask enters as a
fourth channel of the image, beside a hole of middle grey.

Inside, `maps` is what is passed on: `[features, mask]`, both `(b, h, w, c)`, or in the twin `[features]`.
"""

from collections.abc import Sequence
from typing import Any

from keras import layers, ops

from zoo.layers import CropLike, PartialConv2D

SIZES = (7, 5, 5)  # of the first kernels, table 2 of the paper; all others are 3


def convolve(maps: list, filters: int, kernel_size: int, *, strides: int = 1, name: str, **options: Any) -> list:
    """Zeros around, which count as a hole, and a convolution: (b, h, w, c) -> (b, ceil(h / strides), ..., filters).

    Padded alike on all sides, as `same` is not, so that sides even and odd are halved about the same pixels.
    """
    padded = [layers.ZeroPadding2D(kernel_size // 2, name=f"{name}-pad{i}")(x) for i, x in enumerate(maps)]
    options |= {"strides": strides, "kernel_initializer": "he_normal", "name": name}
    if len(maps) == 1:
        return [layers.Conv2D(filters, kernel_size, **options)(padded[0])]
    return list(PartialConv2D(filters, kernel_size, **options)(padded))


def normalize(x: Any, name: str) -> Any:
    """Batch normalisation."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)


def encode(maps: list, filters: int, kernel_size: int, *, is_first: bool, name: str) -> list:
    """Half as high and wide: (b, h, w, c) -> (b, ceil(h / 2), ceil(w / 2), filters)."""
    x, *mask = convolve(maps, filters, kernel_size, strides=2, name=f"{name}-conv")
    x = x if is_first else normalize(x, f"{name}-bn")
    return [layers.ReLU(name=f"{name}-relu")(x), *mask]


def join(maps: list, skipped: list, name: str) -> list:
    """Twice as high and wide, cropped to the skipped maps and before them: features to features, mask to mask."""
    joined = []
    for index, (x, skip) in enumerate(zip(maps, skipped, strict=True)):
        x = layers.UpSampling2D(name=f"{name}-up{index}")(x)
        x = CropLike(offset=0, name=f"{name}-crop{index}")([x, skip])
        joined.append([x, skip])
    if len(joined) == 2:  # a channel of mask for each of features, as the paper counts them
        joined[1] = [ops.repeat(m, x.shape[-1], axis=-1) for x, m in zip(*joined, strict=True)]
    return [layers.Concatenate(name=f"{name}-join{index}")(pair) for index, pair in enumerate(joined)]


def decode(maps: list, filters: int, *, name: str) -> list:
    """After `join`: (b, h, w, c) -> (b, h, w, filters)."""
    x, *mask = convolve(maps, filters, 3, name=f"{name}-conv")
    return [layers.LeakyReLU(0.2, name=f"{name}-relu")(normalize(x, f"{name}-bn")), *mask]


def unet(maps: list, *, filters: Sequence[int]) -> Any:
    """From the image's maps to a whole image: (b, h, w, c) -> (b, h, w, 3)."""
    skips = [maps]
    for index, width in enumerate(filters):
        size = SIZES[index] if index < len(SIZES) else 3
        skips.append(encode(skips[-1], width, size, is_first=index == 0, name=f"encoder{index + 1}"))
    maps = skips.pop()
    for index in range(len(filters) - 1, 0, -1):
        maps = decode(join(maps, skips.pop(), f"decoder{index + 1}"), filters[index - 1], name=f"decoder{index + 1}")
    maps = join(maps, skips.pop(), "decoder1")
    return convolve(maps, 3, 3, name="decoder1-conv", dtype="float32")[0]


def partial_image(image: Any, mask: Any, *, filters: Sequence[int] = (24, 48, 96, 128, 128)) -> Any:
    """What partial convolutions make of the valid pixels, everywhere: RGB, (b, h, w, 3), in the unit of `image`."""
    return _unscaled(unet([_centred(image), mask], filters=filters))


def plain_image(image: Any, mask: Any, *, filters: Sequence[int] = (24, 48, 96, 128, 128)) -> Any:
    """What ordinary convolutions make of them, the mask a fourth channel: RGB, (b, h, w, 3), unit of `image`."""
    x = layers.Multiply(name="damaged")([_centred(image), mask])
    return _unscaled(unet([layers.Concatenate(name="masked")([x, mask])], filters=filters))


def pconv_unet(image: Any, mask: Any, *, filters: Sequence[int] = (24, 48, 96, 128, 128)) -> Any:
    """Fill the holes of RGB images by partial convolutions.

    Args:
        image: RGB in [0, 1], `(batch, height, width, 3)`, any height and width, which may be unknown. What it contains
            under the hole changes nothing.
        mask: 1 where the image is valid, 0 in the hole, `(batch, height, width, 1)`.
        filters: Channels after each halving; the decoder has them in reverse.

    Returns:
        RGB in [0, 255], `(batch, height, width, 3)`: the image, and in its hole the network's image, not clipped.
    """
    return _filled(image, mask, partial_image(image, mask, filters=filters))


def conv_unet(image: Any, mask: Any, *, filters: Sequence[int] = (24, 48, 96, 128, 128)) -> Any:
    """Fill the holes of RGB images by ordinary convolutions; all else as in `pconv_unet`."""
    return _filled(image, mask, plain_image(image, mask, filters=filters))


def _centred(image: Any) -> Any:
    return layers.Rescaling(2.0, -1.0, name="centred")(image)


def _unscaled(output: Any) -> Any:
    return layers.Rescaling(0.5, 0.5, name="picture", dtype="float32")(output)


def _filled(image: Any, mask: Any, output: Any) -> Any:
    """The output in the holes of the image, in 8-bit levels; multiplied, so that gradients flow."""
    valid = layers.Multiply(name="valid")([image, mask])
    hole = layers.Multiply(name="hole")([output, 1 - mask])
    return layers.Rescaling(255.0, name="pixels")(layers.Add(name="filled")([valid, hole]))
