"""MambaOut: the gated convolutions of Mamba, without its state space.

Yu and Wang, 2024, https://arxiv.org/abs/2405.07992, figure 1a, algorithm 1. Names as in timm.
"""

from keras import layers, ops

from zoo.architectures.blocks import conv2d, depthwise_conv2d
from zoo.layers import LayerScale


def normalize(x, name):
    """Normalise each position over its channels."""
    return layers.LayerNormalization(epsilon=1e-6, name=name)(x)


def stem(x, filters, middle_norm, activation):
    """Four times smaller: two strided 3x3."""
    x = conv2d(x, filters // 2, 3, strides=2, use_bias=True, name="stem-conv1")
    if middle_norm:
        x = normalize(x, "stem-norm1")
    x = layers.Activation(activation, name="stem-act")(x)
    return normalize(conv2d(x, filters, 3, strides=2, use_bias=True, name="stem-conv2"), "stem-norm2")


def downsample(x, filters, norm_first, name):
    """Between stages: a strided 3x3, normalised after it or before."""
    if norm_first:
        x = normalize(x, f"{name}-norm")
    x = conv2d(x, filters, 3, strides=2, use_bias=True, name=f"{name}-conv")
    return x if norm_first else normalize(x, f"{name}-norm")


def block(x, expansion, share, layer_scale, activation, name):
    """Algorithm 1: widen to gates and values, filter a part of the values 7x7, gate, project; added to the input."""
    filters = x.shape[-1]
    width, filtered = int(expansion * filters), int(share * filters)
    y = layers.Dense(2 * width, name=f"{name}-fc1")(normalize(x, f"{name}-norm"))
    gates, values, part = ops.split(y, [width, 2 * width - filtered], axis=-1)
    part = depthwise_conv2d(part, 7, use_bias=True, name=f"{name}-conv")
    values = layers.Concatenate(name=f"{name}-concat")([values, part])
    gates = layers.Activation(activation, name=f"{name}-act")(gates)
    y = layers.Dense(filters, name=f"{name}-fc2")(layers.Multiply(name=f"{name}-gate")([gates, values]))
    if layer_scale:
        y = LayerScale(name=f"{name}-ls")(y)
    return layers.Add(name=f"{name}-add")([x, y])


def head(x, num_classes, normalized):
    """Pool, normalise, a wide layer (normalised too, or not), project."""
    x = layers.GlobalAveragePooling2D(name="global_pool")(x)
    x = normalize(x, "head-norm")
    x = layers.Dense(4 * x.shape[-1], activation="gelu", name="head-pre_logits-fc")(x)
    if normalized:
        x = normalize(x, "head-pre_logits-norm")
    return layers.Dense(num_classes, name="head-fc")(x) if num_classes else x


def mambaout(
    image,
    *,
    num_classes,
    depths,
    filters,
    expansion=8 / 3,
    share=1.0,
    retrained=False,
    activation="gelu",
    features=False,
):
    """Wire `depths` blocks of `filters` channels per stage; `share` of as many channels is filtered.

    The `retrained` ones, timm's own, normalise before they subsample, not within stem and head, and scale branches.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 4 to 32.
    """
    x = stem(image, filters[0], not retrained, activation)
    pyramid = {}
    for stage, (depth, width) in enumerate(zip(depths, filters, strict=True)):
        if stage > 0:
            x = downsample(x, width, retrained, f"stages-{stage}-downsample")
        for index in range(depth):
            x = block(x, expansion, share, retrained, activation, f"stages-{stage}-blocks-{index}")
        pyramid[4 * 2**stage] = x
    return pyramid if features else head(x, num_classes, not retrained)
