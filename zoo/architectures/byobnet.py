"""Residual networks that timm puts together block by block: ResNet-ts and -q, GENet, CLIP's ResNet, RegNetZ.

- GENet. Lin et al., 2020, https://arxiv.org/abs/2006.14090, figure 1 and table 1.
- CLIP. Radford et al., 2021, https://arxiv.org/abs/2103.00020, section 2.4: three convolutions and average pooling.
- RegNetZ. Dollar et al., 2021, https://arxiv.org/abs/2103.06877, figure 5: wide in the middle, linear at its ends.

A stage is a list of rows in `registry.yaml`, a row the keyword arguments of its blocks; what a network has in common is
its `Style`. Names as in timm.
"""

from typing import NamedTuple

from keras import layers

from zoo.architectures import blocks
from zoo.architectures.blocks import anti_alias, average_pool_shortcut, classify, round_channels
from zoo.layers import CenteredMaxPooling2D, EvoNorm2D


class Style(NamedTuple):
    """What all blocks of a network have in common.

    `attention` is `squeeze` (with `squeeze_ratio`), `efficient` or `context`. `shortcut` is `conv`, `average` or None:
    none where the shape changes. A `linear` block ends without activation, `narrow` ones take their middle's width from
    their input, those with an `extra` convolution have two in the middle. `evolved` norms are EvoNorms of groups of 16.
    """

    activation: str = "silu"
    attention: str | None = None
    squeeze_ratio: float = 1 / 16
    shortcut: str | None = "conv"
    anti_aliasing: str | None = None
    linear: bool = False
    narrow: bool = False
    extra: bool = False
    evolved: bool = False

    def conv(self, x, filters, kernel_size, *, strides=1, groups=1, activate=True, aliased=True, name):
        """Convolution, normalisation, activation, and what subsamples after them."""
        late = self.anti_aliasing is not None and strides > 1 and not aliased
        strides = 1 if late else strides
        if not self.evolved:
            activation = self.activation if activate else None
            x = blocks.conv_norm_act(
                x, filters, kernel_size, strides=strides, groups=groups, activation=activation, name=name
            )
        else:
            x = blocks.conv2d(x, filters, kernel_size, strides=strides, groups=groups, name=f"{name}-conv")
            x = EvoNorm2D(filters // 16, epsilon=1e-3, gate=activate, name=f"{name}-bn")(x)
        return anti_alias(x, self.anti_aliasing, f"{name}-aa") if late else x

    def attend(self, x, name):
        """Weigh the channels."""
        if self.attention == "efficient":
            return blocks.efficient_channel_attention(x, name)
        if self.attention == "context":
            return blocks.global_context(x, int(x.shape[-1] / 8 + 0.5), name, fuse="add")
        if self.attention == "squeeze":
            return blocks.squeeze_excite(x, round_channels(x.shape[-1] * self.squeeze_ratio, round_limit=0), name)
        return x

    def match(self, x, filters, strides, name):
        """What is added to the branch; None where the shape changes and the style has no shortcut for that."""
        if strides == 1 and x.shape[-1] == filters:
            return x
        if self.shortcut == "average":
            x = average_pool_shortcut(x, strides, f"{name}-pool")
            return self.conv(x, filters, 1, activate=False, name=f"{name}-conv")
        return self.conv(x, filters, 1, strides=strides, activate=False, name=name) if self.shortcut else None


def basic(x, style, filters, width, groups, strides, name):
    """Two 3x3."""
    x = style.conv(x, width, 3, strides=strides, aliased=False, name=f"{name}-conv1_kxk")
    x = style.conv(x, filters, 3, groups=groups, activate=False, name=f"{name}-conv2_kxk")
    return style.attend(x, f"{name}-attn_last")


def bottleneck(x, style, filters, width, groups, strides, name):
    """1x1, 3x3, 1x1; the channels are weighed in the middle."""
    x = style.conv(x, width, 1, name=f"{name}-conv1_1x1")
    x = style.conv(x, width, 3, strides=strides, groups=groups, aliased=False, name=f"{name}-conv2_kxk")
    if style.extra:
        x = style.conv(x, width, 3, groups=groups, name=f"{name}-conv2b_kxk")
    x = style.attend(x, f"{name}-attn")
    return style.conv(x, filters, 1, activate=False, name=f"{name}-conv3_1x1")


def dark(x, style, filters, width, groups, strides, name):
    """1x1, 3x3, as in DarkNet."""
    x = style.conv(x, width, 1, name=f"{name}-conv1_1x1")
    x = style.conv(
        x, filters, 3, strides=strides, groups=groups, activate=False, aliased=False, name=f"{name}-conv2_kxk"
    )
    return style.attend(x, f"{name}-attn_last")


def edge(x, style, filters, width, groups, strides, name):
    """3x3, 1x1."""
    x = style.conv(x, width, 3, strides=strides, groups=groups, aliased=False, name=f"{name}-conv1_kxk")
    x = style.attend(x, f"{name}-attn")
    return style.conv(x, filters, 1, activate=False, name=f"{name}-conv2_1x1")


BLOCKS = {"basic": basic, "bottleneck": bottleneck, "dark": dark, "edge": edge}


def block(x, style, *, kind, filters, ratio, group_width, strides, name):
    """A branch of one `kind`, `ratio` times as wide in its middle, added to the shortcut."""
    width = round_channels((x.shape[-1] if style.narrow else filters) * ratio)
    groups = width // group_width if group_width else 1
    x_in = style.match(x, filters, strides, f"{name}-shortcut")
    x = BLOCKS[kind](x, style, filters, width, groups, strides, name)
    if x_in is not None:
        x = layers.Add(name=f"{name}-add")([x, x_in])
    return x if style.linear else blocks.activate(x, style.activation, f"{name}-act")


def stem(x, style, filters, strides, bare, pool):
    """3x3 convolutions of these widths and strides, the first `bare` without normalisation; maps by stride."""
    maps, stride = {}, 1
    for index, (width, step) in enumerate(zip(filters, strides, strict=True)):
        name = f"stem-conv{index + 1}" if len(filters) > 1 else "stem"
        if index < bare:
            x = blocks.conv2d(x, width, 3, strides=step, name=name)
        else:
            x = style.conv(x, width, 3, strides=step, name=name)
        stride *= step
        maps[stride] = x
    if pool == "max":
        x = maps[2 * stride] = CenteredMaxPooling2D(3, 2, name="stem-pool")(x)
    if pool == "average":
        x = maps[2 * stride] = layers.AveragePooling2D(2, name="stem-pool")(x)
    return x, maps


def byobnet(
    image,
    *,
    num_classes,
    stages,
    stem_filters,
    stem_strides,
    stem_bare=0,
    stem_pool=None,
    head_filters=None,
    style=None,
    features=False,
):
    """Wire the rows of blocks between stem and head.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    style = Style(**style or {})
    x, pyramid = stem(image, style, stem_filters, stem_strides, stem_bare, stem_pool)
    stride = max(pyramid)
    for stage, rows in enumerate(stages):
        index = 0
        for row in rows:
            row = {"group_width": 0, "strides": 1, "repeats": 1, **row}
            repeats, strides = row.pop("repeats"), row.pop("strides")
            for repeat in range(repeats):
                x = block(x, style, **row, strides=strides if repeat == 0 else 1, name=f"stages-{stage}-{index}")
                index += 1
            stride *= strides
        pyramid[stride] = x
    if head_filters:
        x = pyramid[stride] = style.conv(x, head_filters, 1, name="final_conv")
    return pyramid if features else classify(x, num_classes, "head-fc")
