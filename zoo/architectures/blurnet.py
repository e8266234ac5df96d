"""A small classifier that blurs before it keeps every second pixel, and its twin that does not.

Zhang, 2019, https://arxiv.org/abs/1904.11486, section 3.2, equation 5: max pooling of stride 2 is max pooling of
stride 1, and then subsampling. A low-pass filter belongs between the two. It has no weights.
"""

from collections.abc import Sequence
from typing import Any

from keras import layers

from zoo.architectures.blocks import batch_norm, classify, conv2d
from zoo.layers import Blur2D


def downsample(x: Any, blur: int, name: str) -> Any:
    """`(b, h, w, c) -> (b, ceil(h / 2), ceil(w / 2), c)`; `blur` is the filter's side, 1 is the twin without it."""
    if blur == 1:
        return layers.MaxPooling2D(2, padding="same", name=name)(x)
    x = layers.MaxPooling2D(2, 1, padding="same", name=f"{name}-max")(x)
    return Blur2D(blur, strides=2, name=name)(x)


def blurnet(
    image: Any, *, num_classes: int, filters: Sequence[int] = (16, 32, 64, 64), blur: int = 3, features: bool = False
) -> Any:
    """Wire convolutions of 3 x 3 with a downsampling between two of them.

    Args:
        image: `(batch, height, width, channels)`, normalised, at least 1 x 1.
        num_classes: Outputs of the last layer; 0 for the pooled features.
        filters: Channels of each convolution.
        blur: Side of the blur filter; 1 is ordinary max pooling.
        features: Whether to return the maps by stride, 1 and on.

    Returns:
        Logits `(batch, num_classes)`, features `(batch, filters[-1])`, or `{1: (batch, height, width, filters[0]), …}`.
    """
    x, pyramid = image, {}
    for index, width in enumerate(filters):
        if index > 0:
            x = downsample(x, blur, f"pool{index}")
        x = conv2d(x, width, 3, name=f"conv{index + 1}")
        x = layers.ReLU(name=f"relu{index + 1}")(batch_norm(x, f"bn{index + 1}"))
        pyramid[2**index] = x
    return pyramid if features else classify(x, num_classes, "fc")
