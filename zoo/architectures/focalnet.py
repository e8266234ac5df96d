"""FocalNet: each position is modulated by contexts of several sizes, gathered by depthwise convolutions.

Yang et al., 2022, https://arxiv.org/abs/2203.11926, figure 2b and equation 6, algorithm 1. Names as in timm.
"""

from keras import layers, ops

from zoo.architectures.blocks import classify, depthwise_conv2d
from zoo.layers import LayerScale


def normalize(x, name):
    """Normalise each position over its channels."""
    return layers.LayerNormalization(epsilon=1e-5, name=name)(x)


def patches(x, filters, kernel_size, strides, margin, name):
    """A strided convolution of patches, overlapping where there is a margin, normalised."""
    if margin:
        x = layers.ZeroPadding2D(margin, name=f"{name}-pad")(x)
    x = layers.Conv2D(filters, kernel_size, strides=strides, name=f"{name}-proj")(x)
    return normalize(x, f"{name}-norm")


def focal_modulation(x, levels, window, normalized, name):
    """Algorithm 1: queries times the gated sum of contexts of `levels` sizes and of the whole map, projected."""
    filters = x.shape[-1]
    x = layers.Conv2D(2 * filters + levels + 1, 1, name=f"{name}-f")(x)
    query, context, gates = ops.split(x, [filters, 2 * filters], axis=-1)
    terms = []
    for level in range(levels):
        context = depthwise_conv2d(context, window + 2 * level, name=f"{name}-focal_layers-{level}-0")
        context = layers.Activation("gelu", name=f"{name}-focal_layers-{level}-1")(context)
        terms.append(context * gates[..., level : level + 1])
    whole = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}-pool")(context)
    whole = layers.Activation("gelu", name=f"{name}-act")(whole)
    terms.append(whole * gates[..., levels:])
    modulator = layers.Conv2D(filters, 1, name=f"{name}-h")(layers.Add(name=f"{name}-add")(terms))
    x = layers.Multiply(name=f"{name}-modulate")([query, modulator])
    if normalized:
        x = normalize(x, f"{name}-norm")
    return layers.Conv2D(filters, 1, name=f"{name}-proj")(x)


def feed_forward(x, name):
    """Widen fourfold and back."""
    filters = x.shape[-1]
    x = layers.Conv2D(4 * filters, 1, activation="gelu", name=f"{name}-fc1")(x)
    return layers.Conv2D(filters, 1, name=f"{name}-fc2")(x)


def block(x, levels, window, *, late, normalized, name):
    """Figure 2b: modulate, then mix channels, each added to its input; `late` norms follow them, and are scaled."""
    for index in (1, 2):
        y = x if late else normalize(x, f"{name}-norm{index}")
        if index == 1:
            y = focal_modulation(y, levels, window, normalized, f"{name}-modulation")
        else:
            y = feed_forward(y, f"{name}-mlp")
        if late:
            y = LayerScale(1e-4, name=f"{name}-ls{index}")(normalize(y, f"{name}-norm{index}_post"))
        x = layers.Add(name=f"{name}-add{index}")([x, y])
    return x


def focalnet(image, *, num_classes, depths, filters, levels=2, window=3, late=False, normalized=False, features=False):
    """Wire `depths` blocks per stage; contexts begin `window` wide. Large ones overlap their patches (`late`).

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 4 to 32.
    """
    x = patches(image, filters, 7 if late else 4, 4, 2 if late else 0, "stem")
    pyramid = {}
    for stage, depth in enumerate(depths):
        if stage > 0:
            name = f"layers-{stage}-downsample"
            x = patches(x, filters * 2**stage, 3 if late else 2, 2, 1 if late else 0, name)
        for index in range(depth):
            name = f"layers-{stage}-blocks-{index}"
            x = block(x, levels, window, late=late, normalized=normalized, name=name)
        pyramid[4 * 2**stage] = x
    return pyramid if features else classify(normalize(x, "norm"), num_classes, "head-fc")
