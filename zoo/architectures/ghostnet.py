"""GhostNet versions 1 to 3, and RepGhostNet: half of the channels are made from the other half by cheap operations.

- GhostNet. Han et al., 2019, https://arxiv.org/abs/1911.11907, figures 2b and 3, table 1.
- GhostNetV2. Tang et al., 2022, https://arxiv.org/abs/2211.12905, figure 4: a gate that sees rows and columns.
- GhostNetV3. Liu et al., 2024, https://arxiv.org/abs/2404.11202, figure 2: trained as parallel branches.
- RepGhost. Chen et al., 2022, https://arxiv.org/abs/2211.06088, figure 2e and table 1: added, not concatenated.

Names as in timm.
"""

from functools import partial

from keras import layers

from zoo.architectures.blocks import activate, batch_norm, conv2d, depthwise_conv2d, round_channels, squeeze_excite
from zoo.layers import NearestLike2D


def conv_norm(x, filters, kernel_size, *, strides=1, activation=None, names, name):
    """Convolution, depthwise for no `filters`, and normalisation, called `names` below `name`."""
    names = [f"{name}-{part}" for part in names]
    if filters is None:
        x = depthwise_conv2d(x, kernel_size, strides=strides, name=names[0])
    else:
        x = conv2d(x, filters, kernel_size, strides=strides, name=names[0])
    return activate(batch_norm(x, names[1]), activation, f"{names[1]}-act")


def gate(x, filters, like, name):
    """GhostNetV2, figure 4: 1x1, 1x5 and 5x1 at half the resolution; a weight for every number of `like`."""
    x = layers.AveragePooling2D(2, name=f"{name}-pool")(x)
    x = conv_norm(x, filters, 1, names=("0", "1"), name=name)
    for index, kernel_size in [(2, (1, 5)), (4, (5, 1))]:
        layer = layers.DepthwiseConv2D(kernel_size, padding="same", use_bias=False, name=f"{name}-{index}")
        x = batch_norm(layer(x), f"{name}-{index + 1}")
    x = layers.Activation("sigmoid", name=f"{name}-gate")(x)
    return layers.Multiply(name=f"{name}-scale")([like, NearestLike2D(name=f"{name}-up")([x, like])])


def ghost(x, filters, activation, gated, name):
    """GhostNet, figure 2b: a 1x1 makes half of the channels, depthwise 3x3 of those the other half."""
    half = -(-filters // 2)
    y = conv_norm(x, half, 1, activation=activation, names=("0", "1"), name=f"{name}-primary_conv")
    cheap = conv_norm(y, None, 3, activation=activation, names=("0", "1"), name=f"{name}-cheap_operation")
    y = layers.Concatenate(name=f"{name}-concat")([y, cheap])
    y = y if 2 * half == filters else y[..., :filters]
    return gate(x, filters, y, f"{name}-short_conv") if gated else y


def branches(x, filters, kernel_size, *, strides=1, names, name):
    """Three convolutions side by side, one 1x1 beside depthwise ones, added up."""
    convs = [
        conv_norm(x, filters, kernel_size, strides=strides, names=("conv", "bn1"), name=f"{name}-{names}_conv-{index}")
        for index in range(3)
    ]
    if filters is None:
        scale = conv_norm(x, None, 1, strides=strides, names=("conv", "bn1"), name=f"{name}-{names}_scale")
        convs.insert(0, scale)
    return convs


def branched_ghost(x, filters, activation, gated, name):
    """GhostNetV3: the same as sums of branches."""
    y = layers.Add(name=f"{name}-primary_add")(branches(x, -(-filters // 2), 1, names="primary_rpr", name=name))
    y = activate(y, activation, f"{name}-primary_activation")
    terms = [batch_norm(y, f"{name}-cheap_rpr_skip"), *branches(y, None, 3, names="cheap_rpr", name=name)]
    cheap = activate(layers.Add(name=f"{name}-cheap_add")(terms), activation, f"{name}-cheap_activation")
    y = layers.Concatenate(name=f"{name}-concat")([y, cheap])
    return gate(x, filters, y, f"{name}-short_conv") if gated else y


def added_ghost(x, filters, activation, gated, name):
    """RepGhost, figure 2e: a 1x1, and to it, normalised, a depthwise 3x3 of it is added."""
    y = conv_norm(x, filters, 1, activation=activation, names=("0", "1"), name=f"{name}-primary_conv")
    cheap = conv_norm(y, None, 3, names=("0", "1"), name=f"{name}-cheap_operation")
    y = layers.Add(name=f"{name}-add")([cheap, batch_norm(y, f"{name}-fusion_bn-0")])
    return activate(y, activation, f"{name}-relu")


GHOSTS = {"plain": ghost, "branched": branched_ghost, "added": added_ghost}


def subsample(x, kernel_size, kind, name):
    """A strided convolution in each channel."""
    if kind == "branched":
        return layers.Add(name=f"{name}-dw_add")(branches(x, None, kernel_size, strides=2, names="dw_rpr", name=name))
    return conv_norm(x, None, kernel_size, strides=2, names=("conv_dw", "bn_dw"), name=name)


def block(x, kernel_size, width, filters, squeeze, strides, *, kind, gated, name):
    """GhostNet, figure 3: a ghost that widens, one that narrows, added to the shortcut."""
    x_in, make = x, GHOSTS[kind]
    x = make(x, width, "relu", gated, f"{name}-ghost1")
    if strides > 1:
        x = subsample(x, kernel_size, kind, name)
    if squeeze:
        middle, names = round_channels(width * squeeze, 4), ("conv_reduce", "conv_expand")
        x = squeeze_excite(x, middle, f"{name}-se", names=names, gate="hard_sigmoid")
    x = make(x, filters, None, False, f"{name}-ghost2")
    if strides > 1 or x_in.shape[-1] != filters:
        part = f"{name}-shortcut"
        x_in = conv_norm(x_in, None, kernel_size, strides=strides, names=("0", "1"), name=part)
        x_in = conv_norm(x_in, filters, 1, names=("2", "3"), name=part)
    return layers.Add(name=f"{name}-add")([x, x_in])


def ghostnet(image, *, num_classes, stages, width=1.0, kind="plain", gated=False, head_expansion=1, features=False):
    """Wire table 1: a row is kernel size, width in the middle, filters, share of the squeeze, strides.

    All blocks but the first two are `gated`, where any is.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32:
    what the stem's convolution and the blocks that stride give.
    """
    wide = partial(round_channels, divisor=4)
    x = conv2d(image, wide(16 * width), 3, strides=2, name="conv_stem")
    pyramid, stride, count = {2: x}, 2, 0
    x = layers.ReLU(name="act1")(batch_norm(x, "bn1"))
    for stage, rows in enumerate(stages):
        for index, (kernel_size, middle, filters, squeeze, strides) in enumerate(rows):
            x = block(
                x,
                kernel_size,
                wide(middle * width),
                wide(filters * width),
                squeeze,
                strides,
                kind=kind,
                gated=gated and count > 1,
                name=f"blocks-{stage}-{index}",
            )
            count += 1
        if strides > 1:
            stride *= strides
            pyramid[stride] = x
    if features:
        return pyramid
    last = wide(stages[-1][-1][1] * width * head_expansion)
    x = conv_norm(x, last, 1, activation="relu", names=("conv", "bn1"), name=f"blocks-{len(stages)}-0")
    x = layers.GlobalAveragePooling2D(keepdims=True, name="global_pool")(x)
    x = layers.Conv2D(1280, 1, activation="relu", name="conv_head")(x)
    x = layers.Flatten(name="flatten")(x)
    return layers.Dense(num_classes, name="classifier")(x) if num_classes else x
