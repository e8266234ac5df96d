"""TResNet: a ResNet refined for GPUs.

Ridnik et al., 2020, https://arxiv.org/abs/2003.13630, section 2, figure 3 and table 1. Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import anti_alias, average_pool_shortcut, classify, conv_norm_act, squeeze_excite


def space_to_depth(x):
    """Section 2.1: the 16 pixels of each window become channels. `(b, h, w, 3) -> (b, h/4, w/4, 48)`"""
    pixels = [x[:, row::4, column::4] for row in range(4) for column in range(4)]
    return layers.Concatenate(name="body-s2d")(pixels)


def leaky(x, slope, name):
    """The activation: leaky, so that it can be computed in place."""
    return layers.LeakyReLU(slope, name=name)(x)


def conv(x, filters, kernel_size, *, strides=1, slope=1e-3, name):
    """Convolution, normalisation, leaky activation, and a blur that takes over the strides (section 2.2)."""
    x = conv_norm_act(x, filters, kernel_size, activation=None, name=name)
    x = leaky(x, slope, f"{name}-act")
    return anti_alias(x, "blur", f"{name}-aa") if strides > 1 else x


def block(x, width, *, bottleneck, strides, squeeze, name):
    """Figure 3: two 3x3, or 1x1, 3x3, 1x1; squeeze-and-excitation before the last 1x1, or after the second 3x3."""
    filters = 4 * width if bottleneck else width
    x_in = x
    if strides > 1 or x.shape[-1] != filters:
        x_in = average_pool_shortcut(x, strides, f"{name}-downsample-0")
        part = f"{name}-downsample-{1 if strides > 1 else 0}"
        x_in = conv_norm_act(x_in, filters, 1, activation=None, name=part)
    if bottleneck:
        x = conv(x, width, 1, name=f"{name}-conv1")
        x = conv(x, width, 3, strides=strides, name=f"{name}-conv2")
    else:
        x = conv(x, width, 3, strides=strides, name=f"{name}-conv1")
        x = conv_norm_act(x, filters, 3, activation=None, name=f"{name}-conv2")
    if squeeze:
        x = squeeze_excite(x, max(filters // (8 if bottleneck else 4), 64), f"{name}-se")
    if bottleneck:
        x = conv_norm_act(x, filters, 1, activation=None, name=f"{name}-conv3")
    return layers.ReLU(name=f"{name}-act")(layers.Add(name=f"{name}-add")([x, x_in]))


def tresnet(image, *, num_classes, depths, width=64, bottleneck=(False, False, True, True), features=False):
    """Wire `depths` blocks per stage, `width` channels wide in the first.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 4 to 32.
    """
    x = conv(space_to_depth(image), width, 3, slope=0.01, name="body-conv1")
    pyramid = {}
    for stage, (depth, wide) in enumerate(zip(depths, bottleneck, strict=True)):
        for index in range(depth):
            x = block(
                x,
                width * 2**stage,
                bottleneck=wide,
                strides=2 if stage > 0 and index == 0 else 1,
                squeeze=stage < 3,
                name=f"body-layer{stage + 1}-{index}",
            )
        pyramid[4 * 2**stage] = x
    return pyramid if features else classify(x, num_classes, "head-fc")
