"""DarkNet and the cross-stage partial networks: half of the channels pass a stage by.

Redmon and Farhadi, 2018, https://arxiv.org/abs/1804.02767, table 1 (DarkNet-53); Wang et al., 2019,
https://arxiv.org/abs/1911.11929, figure 2b (CSPNet). CS3 are the backbones of YOLOv5, as timm names and trains them.
"""

from functools import partial

from keras import layers, ops

from zoo.architectures.blocks import activate, classify, conv_norm_act, round_channels, squeeze_excite
from zoo.layers import CenteredMaxPooling2D


def attend(x, squeeze, activation, name):
    """Squeeze-and-excitation where there is a share for it."""
    if not squeeze:
        return x
    return squeeze_excite(x, round_channels(x.shape[-1] * squeeze, round_limit=0), name, activation=activation)


def bottleneck(x, filters, ratio, groups, squeeze, conv, activation, name):
    """1x1, 3x3, 1x1, added to the input, activated."""
    width = round(filters * ratio)
    y = conv(x, width, 1, name=f"{name}-conv1")
    y = conv(y, width, 3, groups=groups, name=f"{name}-conv2")
    y = conv(y, filters, 1, activation=None, name=f"{name}-conv3")
    y = layers.Add(name=f"{name}-add")([y, x])
    return activate(y, activation, f"{name}-act3")


def dark(x, filters, ratio, groups, squeeze, conv, activation, name):
    """DarkNet-53, table 1: 1x1, 3x3, added to the input."""
    y = conv(x, round(filters * ratio), 1, name=f"{name}-conv1")
    y = attend(y, squeeze, activation, f"{name}-attn")
    y = conv(y, filters, 3, groups=groups, name=f"{name}-conv2")
    return layers.Add(name=f"{name}-add")([y, x])


def edge(x, filters, ratio, groups, squeeze, conv, activation, name):
    """3x3, 1x1, added to the input."""
    y = conv(x, round(filters * ratio), 3, groups=groups, name=f"{name}-conv1")
    y = attend(y, squeeze, activation, f"{name}-attn")
    y = conv(y, filters, 1, name=f"{name}-conv2")
    return layers.Add(name=f"{name}-add")([y, x])


BLOCKS = {"bottleneck": bottleneck, "dark": dark, "edge": edge}


def downsample(x, filters, average, groups, conv, name):
    """A strided 3x3, or average pooling and 1x1."""
    if average:
        x = layers.AveragePooling2D(2, name=f"{name}-0")(x)
        return conv(x, filters, 1, groups=groups, name=f"{name}-1")
    return conv(x, filters, 3, strides=2, groups=groups, name=name)


def dark_stage(x, filters, *, blocks, conv, **options):
    """All channels go through the blocks."""
    return blocks(x, filters)


def cross_stage(x, filters, *, blocks, conv, expansion, share, linear, name):
    """CSPNet, figure 2b: split the channels, take the second half through the blocks, join, mix."""
    width = round(filters * expansion)
    x = conv(x, width, 1, activation=None if linear else "style", name=f"{name}-conv_exp")
    aside, x = ops.split(x, 2, axis=-1)
    x = blocks(x, round(filters * share))
    x = conv(x, width // 2, 1, name=f"{name}-conv_transition_b")
    x = layers.Concatenate(name=f"{name}-concat")([aside, x])
    return conv(x, filters, 1, name=f"{name}-conv_transition")


def cross_stage3(x, filters, *, blocks, conv, expansion, share, linear, name):
    """The same with one convolution fewer: the first half goes through the blocks."""
    x = conv(x, round(filters * expansion), 1, activation=None if linear else "style", name=f"{name}-conv_exp")
    x, aside = ops.split(x, 2, axis=-1)
    x = blocks(x, round(filters * share))
    x = layers.Concatenate(name=f"{name}-concat")([x, aside])
    return conv(x, filters, 1, name=f"{name}-conv_transition")


STAGES = {"dark": dark_stage, "cross": cross_stage, "cross3": cross_stage3}


def stem(x, filters, kernel_size, strides, pool, conv):
    """Convolutions of these widths, the first strided, and max pooling; maps by stride."""
    maps = {}
    for index, width in enumerate(filters):
        x = conv(x, width, kernel_size, strides=strides if index == 0 else 1, name=f"stem-conv{index + 1}")
        maps[strides] = x
    if pool:
        x = maps[2 * strides] = CenteredMaxPooling2D(3, 2, name="stem-pool")(x)
    return x, maps


def cspnet(
    image,
    *,
    num_classes,
    depths,
    filters,
    stage_kind,
    block_kind,
    ratios,
    stem_filters,
    stem_kernel_size=3,
    stem_strides=2,
    stem_pool=False,
    first_strides=2,
    expansions=1,
    shares=1,
    groups=1,
    linear=False,
    widening=False,
    average=False,
    squeeze=None,
    activation="leaky_relu",
    features=False,
):
    """Wire `depths` blocks per stage of `filters` channels.

    `ratios` say how wide the middle of a block is, `expansions` how wide a stage before its split, `shares` how wide
    the blocks: one number, or the first stage's and that of all others. `widening` stages widen where they stride.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, to 32.
    """

    def conv(x, filters, kernel_size, *, activation="style", **options):
        return conv_norm_act(
            x, filters, kernel_size, activation=style_activation if activation == "style" else activation, **options
        )

    style_activation = activation
    x, pyramid = stem(image, stem_filters, stem_kernel_size, stem_strides, stem_pool, conv)
    stride = max(pyramid)
    for stage, (depth, width) in enumerate(zip(depths, filters, strict=True)):
        name = f"stages-{stage}"
        ratio, expansion, share = (
            value if isinstance(value, int | float) else value[min(stage, 1)] for value in (ratios, expansions, shares)
        )
        if stage > 0 or first_strides > 1:
            wide = widening or average or stage_kind == "dark"
            x = downsample(x, width if wide else x.shape[-1], average, groups, conv, f"{name}-conv_down")
            stride *= 2
        make_block = partial(BLOCKS[block_kind], ratio=ratio, groups=groups, squeeze=squeeze, conv=conv)

        def blocks(x, filters, make_block=make_block, depth=depth, name=name):
            for index in range(depth):
                x = make_block(x, filters, activation=activation, name=f"{name}-blocks-{index}")
            return x

        x = STAGES[stage_kind](
            x, width, blocks=blocks, conv=conv, expansion=expansion, share=share, linear=linear, name=name
        )
        pyramid[stride] = x
    return pyramid if features else classify(x, num_classes, "head-fc")
