"""SegNet: a decoder that puts values back where the encoder's pooling took them from.

Badrinarayanan et al., 2017, https://arxiv.org/abs/1511.00561, section 3 and figure 2; SegNet-Basic in section 3.1. Two
things differ from the authors' network: there is no local contrast normalisation before it, as each convolution has its
batch normalisation, and `shrink` lets it work on a smaller image.
"""

from collections.abc import Sequence
from typing import Any

from keras import layers

from zoo.architectures.blocks import batch_norm, conv2d
from zoo.architectures.vgg import FILTERS, stage
from zoo.layers import MaxPoolingWithArgmax2D, MaxUnpooling2D

DEPTHS = (2, 2, 3, 3, 3)  # convolutions before each pooling: VGG16, column D of its table 1


def pool(x: Any, name: str) -> tuple[Any, tuple[Any, Any]]:
    """Half as large, (b, h, w, c) -> (b, ceil(h / 2), ceil(w / 2), c); and the way back: the indices and the size."""
    pooled, indices = MaxPoolingWithArgmax2D(padding="same", name=name)(x)
    return pooled, (indices, x)


def unpool(x: Any, way_back: tuple[Any, Any], name: str) -> Any:
    """Each value to where the maximum was, 0 elsewhere: (b, ceil(h / 2), ceil(w / 2), c) -> (b, h, w, c)."""
    return MaxUnpooling2D(padding="same", name=name)([x, *way_back])


def segnet_basic(
    image: Any,
    *,
    num_classes: int,
    filters: Sequence[int] = (64, 64, 64, 64),
    kernel_size: int = 7,
    shrink: int = 1,
) -> Any:
    """SegNet-Basic: convolutions of one size, one before each pooling and, without ReLU, one after each unpooling.

    Args:
        image: The image, `(batch, height, width, channels)`, any height and width.
        num_classes: Channels of the logits.
        filters: Channels of each encoder; the decoder of the same size gives as many as the encoder above it takes.
        kernel_size: Side of the kernels in pixels.
        shrink: By what the network makes the image smaller first, the mean of so many pixels squared.

    Returns:
        Logits `(batch, ceil(height / shrink), ceil(width / shrink), num_classes)`.
    """
    x = layers.AveragePooling2D(shrink, padding="same", name="shrink")(image) if shrink > 1 else image
    ways_back = []
    for index, width in enumerate(filters):
        x = conv2d(x, width, kernel_size, name=f"encoder-{index}-conv")
        x = layers.ReLU(name=f"encoder-{index}-relu")(batch_norm(x, f"encoder-{index}-bn"))
        x, way_back = pool(x, f"encoder-{index}-pool")
        ways_back.append(way_back)
    for index in reversed(range(len(filters))):
        x = unpool(x, ways_back[index], f"decoder-{index}-unpool")
        x = conv2d(x, filters[max(index - 1, 0)], kernel_size, name=f"decoder-{index}-conv")
        x = batch_norm(x, f"decoder-{index}-bn")
    return conv2d(x, num_classes, 1, use_bias=True, name="classifier")


def decode(x: Any, filters: Sequence[int], name: str) -> Any:
    """3x3 convolutions with batch normalisation and ReLU: (b, h, w, c) -> (b, h, w, filters[-1])."""
    for number, width in enumerate(filters):
        x = conv2d(x, width, 3, name=f"{name}-conv{number}")
        x = layers.ReLU(name=f"{name}-relu{number}")(batch_norm(x, f"{name}-bn{number}"))
    return x


def segnet_vgg16(image: Any, *, num_classes: int) -> Any:
    """SegNet: the 13 convolutions of VGG16, called as in timm's `vgg16_bn`, and a decoder that mirrors them.

    Args:
        image: The image, `(batch, height, width, channels)`, any height and width.
        num_classes: Channels of the logits. The mirror image of the first convolution gives them.

    Returns:
        Logits `(batch, height, width, num_classes)`.
    """
    x, index, ways_back = image, 0, []
    for width, depth in zip(FILTERS, DEPTHS, strict=True):
        x, index = stage(x, width, depth, True, index)
        x, way_back = pool(x, f"features-{index}")
        ways_back.append(way_back)
        index += 1
    for number in reversed(range(len(FILTERS))):
        x = unpool(x, ways_back[number], f"decoder-{number}-unpool")
        after = [FILTERS[number - 1]] if number else []
        x = decode(x, [FILTERS[number]] * (DEPTHS[number] - 1) + after, f"decoder-{number}")
    return conv2d(x, num_classes, 3, use_bias=True, name="classifier")
