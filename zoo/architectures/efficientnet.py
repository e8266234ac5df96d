"""Networks of inverted residuals: MobileNetV2 and V3, EfficientNet and EfficientNetV2, as timm names their parts.

- MobileNetV2. Sandler et al., 2018, https://arxiv.org/abs/1801.04381, figure 4d and table 2.
- MobileNetV3. Howard et al., 2019, https://arxiv.org/abs/1905.02244, figures 4 and 5, tables 1 and 2.
- EfficientNet. Tan and Le, 2019, https://arxiv.org/abs/1905.11946, table 1; wider and deeper by section 3.3.
- EfficientNetV2. Tan and Le, 2021, https://arxiv.org/abs/2104.00298, figure 2 and table 4.

The tables are data in `registry.yaml`: a stage is a list of rows, a row the keyword arguments of its blocks. How a
network pads, normalises, squeezes and activates is the same everywhere in it: its `Style`.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from keras import layers

from zoo.architectures import blocks
from zoo.architectures.blocks import classify, round_channels, squeeze_excite


class Style(NamedTuple):
    """What all blocks of a network have in common.

    `padding` is `symmetric` or, for weights from TensorFlow, `same`; those also have an `epsilon` of 1e-3. The
    bottleneck of squeeze-and-excitation is a share of the block's input or, with `squeeze_expanded`, of the expanded
    channels, rounded to a multiple of `squeeze_divisor`; its activation is the block's or `squeeze_activation`.
    """

    activation: str = "silu"
    padding: str = "symmetric"
    epsilon: float = 1e-5
    squeeze_expanded: bool = False
    squeeze_divisor: int = 1
    squeeze_activation: str | None = None
    squeeze_gate: str = "sigmoid"

    def conv2d(self, x, filters, kernel_size, *, strides=1, name):
        return blocks.conv2d(x, filters, kernel_size, strides=strides, padding=self.padding, name=name)

    def depthwise_conv2d(self, x, kernel_size, *, strides, name):
        return blocks.depthwise_conv2d(x, kernel_size, strides=strides, padding=self.padding, name=name)

    def normalize(self, x, name, activation=None):
        """Batch normalisation and, if there is one, an activation."""
        x = blocks.batch_norm(x, name, epsilon=self.epsilon)
        return layers.Activation(activation, name=f"{name}-act")(x) if activation else x

    def squeeze(self, x, filters_in, ratio, activation, name):
        """Channel attention; `filters_in` is the width of the block's input."""
        width = round_channels(ratio * (x.shape[-1] if self.squeeze_expanded else filters_in), self.squeeze_divisor)
        activation = self.squeeze_activation or activation
        return squeeze_excite(
            x, width, name, names=("conv_reduce", "conv_expand"), activation=activation, gate=self.squeeze_gate
        )


def plain(x, style, filters, *, kernel_size, strides, activation, name):
    """One convolution. `(batch, h, w, c) -> (batch, h / strides, w / strides, filters)`, as all blocks"""
    x = style.conv2d(x, filters, kernel_size, strides=strides, name=f"{name}-conv")
    return style.normalize(x, f"{name}-bn1", activation)


def separable(x, style, filters, *, kernel_size, strides, activation, squeeze=None, name):
    """A convolution in each channel, then one across channels: an inverted residual that does not expand."""
    filters_in = x.shape[-1]
    x = style.depthwise_conv2d(x, kernel_size, strides=strides, name=f"{name}-conv_dw")
    x = style.normalize(x, f"{name}-bn1", activation)
    if squeeze:
        x = style.squeeze(x, filters_in, squeeze, activation, f"{name}-se")
    x = style.conv2d(x, filters, 1, name=f"{name}-conv_pw")
    return style.normalize(x, f"{name}-bn2")


def inverted(x, style, filters, *, kernel_size, strides, expansion, activation, squeeze=None, name):
    """MobileNetV2, figure 4d; MobileNetV3, figure 4: expand, filter each channel, squeeze, project linearly."""
    filters_in = x.shape[-1]
    x = style.conv2d(x, round_channels(filters_in * expansion), 1, name=f"{name}-conv_pw")
    x = style.normalize(x, f"{name}-bn1", activation)
    x = style.depthwise_conv2d(x, kernel_size, strides=strides, name=f"{name}-conv_dw")
    x = style.normalize(x, f"{name}-bn2", activation)
    if squeeze:
        x = style.squeeze(x, filters_in, squeeze, activation, f"{name}-se")
    x = style.conv2d(x, filters, 1, name=f"{name}-conv_pwl")
    return style.normalize(x, f"{name}-bn3")


def fused(x, style, filters, *, kernel_size, strides, expansion, activation, name):
    """EfficientNetV2, figure 2, right: one full convolution expands and filters at once."""
    x = style.conv2d(x, round_channels(x.shape[-1] * expansion), kernel_size, strides=strides, name=f"{name}-conv_exp")
    x = style.normalize(x, f"{name}-bn1", activation)
    x = style.conv2d(x, filters, 1, name=f"{name}-conv_pwl")
    return style.normalize(x, f"{name}-bn2")


BLOCKS: dict[str, Callable] = {"plain": plain, "separable": separable, "inverted": inverted, "fused": fused}


def row(
    x,
    style,
    *,
    kind,
    filters,
    repeats=1,
    kernel_size=3,
    strides=1,
    activation=None,
    shortcut=True,
    name,
    first,
    **options,
):
    """`repeats` blocks of one `kind`, the first one strided. Blocks that keep the shape are added to their input."""
    for index in range(repeats):
        x_in, block_name = x, f"{name}-{first + index}"
        x = BLOCKS[kind](
            x,
            style,
            filters,
            kernel_size=kernel_size,
            strides=strides if index == 0 else 1,
            activation=activation or style.activation,
            name=block_name,
            **options,
        )
        if shortcut and (index > 0 or strides == 1) and x_in.shape[-1] == filters:
            x = layers.Add(name=f"{block_name}-add")([x, x_in])
    return x


def scaled(stages, width, depth, round_limit):
    """The table of a wider and deeper network. `depth` multiplies repeats and is one number or one a stage."""
    depths = depth if isinstance(depth, list | tuple) else [depth] * len(stages)
    return [
        [
            {
                **arguments,
                "filters": round_channels(arguments["filters"] * width, round_limit=round_limit),
                "repeats": math.ceil(arguments.get("repeats", 1) * factor),
            }
            for arguments in stage
        ]
        for stage, factor in zip(stages, depths, strict=True)
    ]


def late_head(x, style, filters, use_bias, num_classes):
    """MobileNetV3, figure 5, below: the last convolution comes after the pooling."""
    x = layers.GlobalAveragePooling2D(keepdims=True, name="global_pool")(x)  # (batch, 1, 1, c)
    x = blocks.conv2d(x, filters, 1, use_bias=use_bias, name="conv_head")
    x = layers.Activation(style.activation, name="act2")(x)
    x = layers.Flatten(name="flatten")(x)
    return layers.Dense(num_classes, name="classifier")(x) if num_classes else x


def efficientnet(
    image,
    *,
    num_classes,
    stages,
    width=1.0,
    depth=1.0,
    round_limit=0.9,
    stem_filters=32,
    head_filters=1280,
    head="early",
    head_bias=True,
    style=None,
    features=False,
):
    """Wire the rows of a table between stem and head; `stem_filters` and `head_filters` are not multiplied by `width`.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    style = Style(**style or {})
    x = style.conv2d(image, stem_filters, 3, strides=2, name="conv_stem")
    x = style.normalize(x, "bn1", style.activation)
    pyramid, stride = {2: x}, 2
    for index, rows in enumerate(scaled(stages, width, depth, round_limit)):
        first = 0
        for arguments in rows:
            x = row(x, style, **arguments, name=f"blocks-{index}", first=first)
            first += arguments["repeats"]
            stride *= arguments.get("strides", 1)
        pyramid[stride] = x
    if features:
        return pyramid
    if head == "late":
        return late_head(x, style, head_filters, head_bias, num_classes)
    x = style.conv2d(x, head_filters, 1, name="conv_head")
    x = style.normalize(x, "bn2", style.activation)
    return classify(x, num_classes, "classifier")
