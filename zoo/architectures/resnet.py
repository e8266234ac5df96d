"""ResNet and what became of it: the "d" stem, ResNeXt, wide, with attention to channels, anti-aliased, pruned.

He et al., 2015, https://arxiv.org/abs/1512.03385, figure 5 and table 1; the tweaks are figure 2 of
https://arxiv.org/abs/1812.01187; blur before subsampling is https://arxiv.org/abs/1904.11486. Names as in timm.
"""

from functools import partial

from keras import layers

from zoo.architectures.blocks import (
    Dilation,
    anti_alias,
    average_pool_shortcut,
    batch_norm,
    classify,
    conv2d,
    efficient_channel_attention,
    group_norm,
    max_pool_stem,
    round_channels,
    squeeze_excite,
)
from zoo.errors import InputError


def stem(x, kind, filters, norm, anti_aliasing, pool):
    """Four times smaller. `kind` is `plain` (7x7), `deep` or `tiered` (three 3x3 of rising width)."""
    width = filters
    if kind == "plain":
        x = conv2d(x, width, 7, strides=2, name="conv1")
    else:
        first = 3 * (filters // 4) if kind == "tiered" else filters
        width = 2 * filters
        for index, (channels, strides) in enumerate([(first, 2), (filters, 1)]):
            x = conv2d(x, channels, 3, strides=strides, name=f"conv1-{3 * index}")
            x = norm(x, f"conv1-{3 * index + 1}")
            x = layers.ReLU(name=f"conv1-{3 * index + 2}")(x)
        x = conv2d(x, width, 3, name="conv1-6")
    x = norm(x, "bn1")
    x = stage0 = layers.ReLU(name="act1")(x)
    if pool == "conv":
        x = conv2d(x, width, 3, strides=2, name="maxpool-0")
        x = norm(x, "maxpool-1")
        return layers.ReLU(name="maxpool-2")(x), stage0
    if anti_aliasing == "average":  # takes the place of max pooling altogether
        return anti_alias(x, "average", "maxpool"), stage0
    if anti_aliasing == "blur":
        x = layers.MaxPooling2D(3, 1, padding="same", name="maxpool-0")(x)
        return anti_alias(x, "blur", "maxpool-1"), stage0
    return max_pool_stem(x, "maxpool"), stage0


def shortcut(x, filters, strides, norm, kind, kernel_size, name, rates=(1, 1)):
    """Match the branch: 1x1 convolution, strided (`conv`) or after average pooling (`average`)."""
    dilated = rates[1] > 1
    if kind == "conv":
        size = kernel_size if strides > 1 or dilated else 1
        rate = rates[0] if size > 1 else 1
        x = conv2d(x, filters, size, strides=strides, dilation_rate=rate, name=f"{name}-0")
        return norm(x, f"{name}-1")
    x = average_pool_shortcut(x, strides, f"{name}-0", dilated=dilated)
    x = conv2d(x, filters, 1, name=f"{name}-1")
    return norm(x, f"{name}-2")


def attend(x, squeeze, planned, name):
    """Weigh the channels: `squeeze` is the share that squeeze-and-excitation has in its middle, or `efficient`.

    Pruning left the convolution over channels as wide as the `planned` channels asked.
    """
    if squeeze == "efficient":
        return efficient_channel_attention(x, name, channels=planned)
    return squeeze_excite(x, round_channels(x.shape[-1] * squeeze, round_limit=0), name)


def block(x, widths, *, planned, strides, rates=(1, 1), groups, norm, anti_aliasing, squeeze, match, name):
    """Figure 5: two 3x3 (left), or 1x1, 3x3, 1x1 (right), of these `widths`, added to the shortcut.

    `planned` channels would come out of it before pruning. `rates` dilate the first 3x3 and the second.
    """
    blurred = anti_aliasing if strides > 1 else None
    *inner, last = widths
    x_in, index = x, len(inner)
    if index == 2:
        x = conv2d(x, inner[0], 1, name=f"{name}-conv1")
        x = layers.ReLU(name=f"{name}-act1")(norm(x, f"{name}-bn1"))
    first = {"strides": 1 if blurred else strides, "dilation_rate": rates[0], "groups": groups}
    x = conv2d(x, inner[-1], 3, **first, name=f"{name}-conv{index}")
    x = layers.ReLU(name=f"{name}-act{index}")(norm(x, f"{name}-bn{index}"))
    if blurred:
        x = anti_alias(x, blurred, f"{name}-aa")
    if index == 2:
        x = conv2d(x, last, 1, name=f"{name}-conv3")
    else:
        x = conv2d(x, last, 3, dilation_rate=rates[1], name=f"{name}-conv2")
    x = norm(x, f"{name}-bn{index + 1}")
    if squeeze:
        x = attend(x, squeeze, planned, f"{name}-se")
    if strides > 1 or x_in.shape[-1] != last:
        x_in = match(x_in, last, strides, norm, rates=rates, name=f"{name}-downsample")
    x = layers.Add(name=f"{name}-add")([x, x_in])
    return layers.ReLU(name=f"{name}-act{index + 1}")(x)


def block_widths(width, bottleneck, groups, base_width, first_share):
    """Table 1: the widths of the convolutions of a block whose stage is `width` wide."""
    if not bottleneck:
        return [width, width]
    inner = int(width * base_width / 64) * groups
    return [int(inner * first_share), inner, 4 * width]


def resnet(
    image,
    *,
    num_classes,
    depths,
    filters=(64, 128, 256, 512),
    widths=None,
    bottleneck=False,
    stem_kind="plain",
    stem_filters=64,
    stem_pool="max",
    shortcut_kind="conv",
    shortcut_kernel_size=1,
    anti_aliasing=None,
    groups=1,
    base_width=64,
    first_share=1,
    squeeze=None,
    norm_kind="batch",
    epsilon=1e-5,
    output_stride=32,
    dilate_first=False,
    features=False,
):
    """Wire figure 5's blocks as table 1 says, `depths` blocks per stage.

    `bottleneck` is one answer or one per stage. `widths` are those of every convolution, per stage and block: pruned.
    From `output_stride` on, 8 or 16, blocks are dilated in place of being strided (`blocks.Dilation`).

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    norm = partial(batch_norm if norm_kind == "batch" else group_norm, epsilon=epsilon)
    match = partial(shortcut, kind=shortcut_kind, kernel_size=shortcut_kernel_size)
    x, stage0 = stem(image, stem_kind, stem_filters, norm, anti_aliasing, stem_pool)
    if anti_aliasing and output_stride < 32:
        raise InputError(
            f"output_stride={output_stride} does not fit a network that blurs where it strides. Expected 32, or a "
            "ResNet without anti-aliasing."
        )
    pyramid, dilation = {2: stage0}, Dilation(output_stride, 4, dilate_first=dilate_first)
    kinds = bottleneck if isinstance(bottleneck, list | tuple) else [bottleneck] * len(depths)
    for stage, depth in enumerate(depths):
        stage_widths = block_widths(filters[stage], kinds[stage], groups, base_width, first_share)
        strides = dilation.step(2 if stage > 0 else 1)
        for index in range(depth):
            x = block(
                x,
                widths[stage][index] if widths else stage_widths,
                planned=stage_widths[-1],
                strides=strides if index == 0 else 1,
                rates=(dilation.first_rate if index == 0 else dilation.rate, dilation.rate),
                groups=groups,
                norm=norm,
                anti_aliasing=anti_aliasing,
                squeeze=squeeze,
                match=match,
                name=f"layer{stage + 1}-{index}",
            )
        pyramid[dilation.stride] = x
    return pyramid if features else classify(x, num_classes, "fc")
