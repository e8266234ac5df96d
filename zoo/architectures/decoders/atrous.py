"""The atrous pyramid of DeepLab: convolutions of several dilation rates beside each other, and the mean of the image.

Chen et al., 2017, https://arxiv.org/abs/1706.05587, figure 5.
"""

from collections.abc import Sequence
from typing import Any

from keras import layers

from zoo.architectures.blocks import batch_norm, conv2d
from zoo.architectures.decoders.parts import conv_relu
from zoo.layers import NearestLike2D


def atrous_pyramid(x: Any, filters: int, rates: Sequence[int], *, separable: bool, dropout: float, name: str) -> Any:
    """Figure 5 (a) and (b), mixed: (b, h, w, c) -> (b, h, w, filters)."""
    branches = [conv_relu(x, filters, 1, f"{name}-convs-0")]
    for index, rate in enumerate(rates, start=1):
        branches.append(conv_relu(x, filters, 3, f"{name}-convs-{index}", separable=separable, dilation_rate=rate))
    part = f"{name}-convs-{len(branches)}"
    y = layers.GlobalAveragePooling2D(keepdims=True, name=f"{part}-0")(x)
    y = conv2d(y, filters, 1, name=f"{part}-1")
    y = layers.ReLU(name=f"{part}-3")(batch_norm(y, f"{part}-2"))
    branches.append(NearestLike2D(name=f"{part}-up")([y, x]))  # the same at every place
    x = layers.Concatenate(name=f"{name}-concatenate")(branches)
    x = conv_relu(x, filters, 1, f"{name}-project")
    return layers.Dropout(dropout, name=f"{name}-project-3")(x) if dropout else x
