"""SKNet: a softmax chooses, channel by channel, between kernels of two sizes.

Li et al., 2019, https://arxiv.org/abs/1903.06586, figure 1. Names as in timm.
"""

from keras import layers, ops

from zoo.architectures.blocks import batch_norm, classify, conv2d, conv_norm_act, round_channels
from zoo.architectures.resnet import shortcut, stem


def dilated(x, filters, *, strides, groups, name):
    """A 3x3 that leaves every second pixel out. With strides of 2 it is a plain one of every second pixel."""
    if strides == 1:
        return conv_norm_act(x, filters, 3, dilation_rate=2, groups=groups, name=name)
    return conv_norm_act(x[:, ::2, ::2], filters, 3, groups=groups, name=name)


def selective_kernel(x, filters, *, strides, groups, ratio, divisor, split, name):
    """Figure 1: two branches, of half of the channels each (`split`) or of all; their sum decides how much of each."""
    inputs = ops.split(x, 2, axis=-1) if split else [x, x]
    small = conv_norm_act(inputs[0], filters, 3, strides=strides, groups=groups, name=f"{name}-paths-0")
    large = dilated(inputs[1], filters, strides=strides, groups=groups, name=f"{name}-paths-1")
    gap = layers.Add(name=f"{name}-sum")([small, large])
    gap = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}-pool")(gap)
    gap = conv2d(gap, round_channels(filters * ratio, divisor), 1, name=f"{name}-attn-fc_reduce")
    gap = layers.ReLU(name=f"{name}-attn-act")(batch_norm(gap, f"{name}-attn-bn"))
    weights = conv2d(gap, 2 * filters, 1, name=f"{name}-attn-fc_select")
    weights = ops.softmax(ops.reshape(weights, (-1, 2, 1, 1, filters)), axis=1)
    return layers.Add(name=f"{name}-add")([small * weights[:, 0], large * weights[:, 1]])


def block(x, width, *, bottleneck, strides, groups, base_width, name, **options):
    """ResNet's block with a selective kernel for its first 3x3, added to the shortcut."""
    x_in = x
    inner = int(width * base_width / 64) * groups if bottleneck else width
    filters = 4 * width if bottleneck else width
    if bottleneck:
        x = conv_norm_act(x, inner, 1, name=f"{name}-conv1")
    part = f"{name}-conv{2 if bottleneck else 1}"
    x = selective_kernel(x, inner, strides=strides, groups=groups, name=part, **options)
    last = f"{name}-conv{3 if bottleneck else 2}"
    x = conv_norm_act(x, filters, 1 if bottleneck else 3, activation=None, name=last)
    if strides > 1 or x_in.shape[-1] != filters:
        x_in = shortcut(x_in, filters, strides, batch_norm, "conv", 1, f"{name}-downsample")
    return layers.ReLU(name=f"{name}-act")(layers.Add(name=f"{name}-add")([x, x_in]))


def sknet(
    image,
    *,
    num_classes,
    depths,
    bottleneck=False,
    groups=1,
    base_width=64,
    ratio=0.125,
    divisor=16,
    split=True,
    features=False,
):
    """Wire `depths` blocks per stage.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x, stage0 = stem(image, "plain", 64, batch_norm, None, "max")
    pyramid = {2: stage0}
    for stage, depth in enumerate(depths):
        for index in range(depth):
            x = block(
                x,
                64 * 2**stage,
                bottleneck=bottleneck,
                strides=2 if stage > 0 and index == 0 else 1,
                groups=groups,
                base_width=base_width,
                ratio=ratio,
                divisor=divisor,
                split=split,
                name=f"layer{stage + 1}-{index}",
            )
        pyramid[4 * 2**stage] = x
    return pyramid if features else classify(x, num_classes, "fc")
