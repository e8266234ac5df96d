"""Inpainting by partial convolutions, and a plain twin. Liu et al., 2018, https://arxiv.org/abs/1804.07723, section 3.

A U-Net whose convolutions see only what is valid; each returns, beside its features, the mask of where they are valid,
and so the hole closes layer by layer. The twin is the same U-Net of ordinary convolutions, which the mask enters as a
fourth channel of the image, beside a hole of middle grey.

With `diffusion`, which is ours, the hole is first filled by diffusion, without parameters, and another U-Net adds what
is lacking. The fill is valid everywhere; so after the first convolution every mask is full, and all others are
ordinary.

Inside, `maps` is what is passed on: `[features, mask]`, both `(b, h, w, c)`, or in the twin `[features]`.
"""

from collections.abc import Sequence
from typing import Any

from keras import layers, ops

from zoo.layers import CropLike, DiffusionFill2D, PartialConv2D

FILTERS = (24, 48, 96, 128, 128)
SIZES = (7, 5, 5)  # of the first kernels, table 2 of the paper; all others are 3
DILATIONS = (2, 4)  # of the residual's convolutions where its maps are smallest


def convolve(
    maps: list, filters: int, kernel_size: int, *, strides: int = 1, dilation_rate: int = 1, name: str, **options: Any
) -> list:
    """Zeros around, which count as a hole, and a convolution: (b, h, w, c) -> (b, ceil(h / strides), ..., filters).

    Padded alike on all sides, as `same` is not, so that sides even and odd are halved about the same pixels.
    """
    pad = dilation_rate * (kernel_size // 2)
    padded = [layers.ZeroPadding2D(pad, name=f"{name}-pad{i}")(x) for i, x in enumerate(maps)] if pad else maps
    sizes = {"strides": strides, "dilation_rate": dilation_rate}
    options = {"kernel_initializer": "he_normal", **options, **sizes, "name": name}
    if len(maps) == 1:
        return [layers.Conv2D(filters, kernel_size, **options)(padded[0])]
    return list(PartialConv2D(filters, kernel_size, **options)(padded))


def normalize(x: Any, name: str) -> Any:
    """Batch normalisation."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)


def encode(maps: list, filters: int, kernel_size: int, *, normalized: bool, name: str) -> list:
    """Half as high and wide: (b, h, w, c) -> (b, ceil(h / 2), ceil(w / 2), filters)."""
    x, *mask = convolve(maps, filters, kernel_size, strides=2, name=f"{name}-conv")
    x = normalize(x, f"{name}-bn") if normalized else x
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
    x = normalize(x, f"{name}-bn")
    return [layers.LeakyReLU(0.2, name=f"{name}-relu")(x), *mask]


def unet(maps: list, *, filters: Sequence[int]) -> Any:
    """From the image's maps to a whole image: (b, h, w, c) -> (b, h, w, 3)."""
    skips = [maps]
    for index, width in enumerate(filters):
        size = SIZES[index] if index < len(SIZES) else 3
        skips.append(encode(skips[-1], width, size, normalized=index > 0, name=f"encoder{index + 1}"))
    maps = skips.pop()
    for index in range(len(filters) - 1, 0, -1):
        name = f"decoder{index + 1}"
        maps = decode(join(maps, skips.pop(), name), filters[index - 1], name=name)
    maps = join(maps, skips.pop(), "decoder1")
    return convolve(maps, 3, 3, name="decoder1-conv", dtype="float32")[0]


def residual(first: list, seen: Any, *, filters: Sequence[int]) -> Any:
    """What is added to the fill, zeros before training: (b, h, w, c) -> (b, h, w, 3).

    `first` is what the first convolution sees, `seen` what the second one sees beside its features. Two convolutions at
    full size and after each halving, two dilated ones where the maps are smallest, and a 1x1 one after each skip.
    """
    x = _activated(first, filters[0], 5, "encoder0-conv1")
    x = _activated([layers.Concatenate(name="encoder0-join")([x, seen])], filters[0], 3, "encoder0-conv2")
    skips = []
    for index, width in enumerate(filters[1:], start=1):
        skips.append([x])
        x = _activated([x], width, 3, f"encoder{index}-conv1", strides=2)
        x = _activated([x], width, 3, f"encoder{index}-conv2")
    for rate in DILATIONS:
        context = _activated([x], filters[-1], 3, f"context{rate}", dilation_rate=rate)
        x = layers.Add(name=f"context{rate}-add")([x, context])
    for index, width in reversed(list(enumerate(filters[:-1]))):
        joined = join([x], skips.pop(), f"decoder{index}")
        x = _activated(joined, width, 1, f"decoder{index}-conv1")
        x = _activated([x], width, 3, f"decoder{index}-conv2")
    return convolve([x], 3, 3, name="residual", kernel_initializer="zeros", dtype="float32")[0]


def _activated(maps: list, filters: int, kernel_size: int, name: str, **options: Any) -> Any:
    """A convolution and a leaky ReLU, without the mask that partial ones return: (b, h, w, c) -> (b, h, w, filters)."""
    x = convolve(maps, filters, kernel_size, name=name, **options)[0]
    return layers.LeakyReLU(0.1, name=f"{name}-relu")(x)


def partial_image(image: Any, mask: Any, *, filters: Sequence[int] = FILTERS, diffusion: bool = False) -> Any:
    """What partial convolutions make of the valid pixels, everywhere: RGB, (b, h, w, 3), in the unit of `image`."""
    if not diffusion:
        return _unscaled(unet([_centred(image), mask], filters=filters))
    damaged, fill = _damaged_and_fill(image, mask)
    both = layers.Concatenate(name="damaged-fill")([damaged, fill])
    masks = layers.Concatenate(name="masks")([*[mask] * 3, *[ops.ones_like(mask)] * 3])
    seen = layers.Concatenate(name="seen")([both, mask])
    return _improved(fill, residual([both, masks], seen, filters=filters))


def plain_image(image: Any, mask: Any, *, filters: Sequence[int] = FILTERS, diffusion: bool = False) -> Any:
    """What ordinary convolutions make of them, the mask a channel more: RGB, (b, h, w, 3), unit of `image`."""
    if not diffusion:
        x = layers.Multiply(name="damaged")([_centred(image), mask])
        return _unscaled(unet([layers.Concatenate(name="masked")([x, mask])], filters=filters))
    damaged, fill = _damaged_and_fill(image, mask)
    seen = layers.Concatenate(name="seen")([damaged, fill, mask])
    return _improved(fill, residual([seen], seen, filters=filters))


def pconv_unet(image: Any, mask: Any, *, filters: Sequence[int] = FILTERS, diffusion: bool = False) -> Any:
    """Fill the holes of RGB images by partial convolutions.

    Args:
        image: RGB in [0, 1], `(batch, height, width, 3)`, any height and width, which may be unknown. What it contains
            under the hole changes nothing.
        mask: 1 where the image is valid, 0 in the hole, `(batch, height, width, 1)`.
        filters: Channels after each halving; the decoder has them in reverse.
        diffusion: Whether the hole is first filled by diffusion, which the network then improves.

    Returns:
        RGB in [0, 255], `(batch, height, width, 3)`: the image, and in its hole the network's image, not clipped.
    """
    return _filled(image, mask, partial_image(image, mask, filters=filters, diffusion=diffusion))


def conv_unet(image: Any, mask: Any, *, filters: Sequence[int] = FILTERS, diffusion: bool = False) -> Any:
    """Fill the holes of RGB images by ordinary convolutions; all else as in `pconv_unet`."""
    return _filled(image, mask, plain_image(image, mask, filters=filters, diffusion=diffusion))


def _damaged_and_fill(image: Any, mask: Any) -> tuple[Any, Any]:
    """The image from -1 to 1, its hole of middle grey, and the same with its hole filled by diffusion."""
    centred = layers.Rescaling(2.0, -1.0, name="centred", dtype="float32")(image)
    damaged = layers.Multiply(name="damaged", dtype="float32")([centred, mask])
    return damaged, DiffusionFill2D(name="fill", dtype="float32")([damaged, mask])


def _improved(fill: Any, residual: Any) -> Any:
    """Their sum, from [-1, 1] to the unit of the image."""
    return _unscaled(layers.Add(name="improved", dtype="float32")([fill, residual]))


def _centred(image: Any) -> Any:
    return layers.Rescaling(2.0, -1.0, name="centred")(image)


def _unscaled(output: Any) -> Any:
    return layers.Rescaling(0.5, 0.5, name="picture", dtype="float32")(output)


def _filled(image: Any, mask: Any, output: Any) -> Any:
    """The output in the holes of the image, in 8-bit levels; multiplied, so that gradients flow."""
    valid = layers.Multiply(name="valid")([image, mask])
    hole = layers.Multiply(name="hole")([output, 1 - mask])
    return layers.Rescaling(255.0, name="pixels")(layers.Add(name="filled")([valid, hole]))
