"""InceptionNeXt: ConvNeXt whose depthwise 7x7 is split into a square, two bands and nothing.

Yu et al., 2023, https://arxiv.org/abs/2303.16900, figure 3 and algorithm 1. Names as in timm.
"""

from keras import layers, ops

from zoo.architectures.blocks import batch_norm
from zoo.layers import LayerScale


def token_mixer(x, share, band, name):
    """Algorithm 1: a `share` of the channels each is filtered 3x3, 1x`band` and `band`x1; the rest stays as it is."""
    width, filters = int(x.shape[-1] * share), x.shape[-1]
    ends = [filters - 3 * width, filters - 2 * width, filters - width]
    rest, *parts = ops.split(x, ends, axis=-1)
    kinds = [("dwconv_hw", (3, 3)), ("dwconv_w", (1, band)), ("dwconv_h", (band, 1))]
    filtered = [
        layers.DepthwiseConv2D(size, padding="same", name=f"{name}-{part_name}")(part)
        for part, (part_name, size) in zip(parts, kinds, strict=True)
    ]
    return layers.Concatenate(name=f"{name}-concat")([rest, *filtered])


def block(x, share, band, expansion, name):
    """Figure 3c: mix positions, normalise, mix channels, scale; added to the input."""
    filters = x.shape[-1]
    y = batch_norm(token_mixer(x, share, band, f"{name}-token_mixer"), f"{name}-norm")
    y = layers.Conv2D(expansion * filters, 1, activation="gelu", name=f"{name}-mlp-fc1")(y)
    y = LayerScale(name=name)(layers.Conv2D(filters, 1, name=f"{name}-mlp-fc2")(y))
    return layers.Add(name=f"{name}-add")([x, y])


def head(x, num_classes):
    """Pool, a wide layer, normalise, project."""
    x = layers.GlobalAveragePooling2D(name="global_pool")(x)
    x = layers.Dense(3 * x.shape[-1], activation="gelu", name="head-fc1")(x)
    x = layers.LayerNormalization(epsilon=1e-6, name="head-norm")(x)
    return layers.Dense(num_classes, name="head-fc2")(x) if num_classes else x


def inception_next(image, *, num_classes, depths, filters, share=0.125, band=11, features=False):
    """Wire `depths` blocks of `filters` channels per stage.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 4 to 32.
    """
    x = batch_norm(layers.Conv2D(filters[0], 4, strides=4, name="stem-0")(image), "stem-1")
    pyramid = {}
    for stage, (depth, width) in enumerate(zip(depths, filters, strict=True)):
        if stage > 0:
            name = f"stages-{stage}-downsample"
            x = layers.Conv2D(width, 2, strides=2, name=f"{name}-1")(batch_norm(x, f"{name}-0"))
        for index in range(depth):
            x = block(x, share, band, 3 if stage == 3 else 4, f"stages-{stage}-blocks-{index}")
        pyramid[4 * 2**stage] = x
    return pyramid if features else head(x, num_classes)
