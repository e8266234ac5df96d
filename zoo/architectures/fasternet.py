"""FasterNet: a quarter of the channels is convolved, all are mixed.

Chen et al., 2023, https://arxiv.org/abs/2303.03667, figure 4. Names as in timm.
"""

from keras import layers, ops

from zoo.architectures.blocks import batch_norm


def patches(x, filters, size, name, norm):
    """A convolution of patches, normalised. `(batch, h, w, c) -> (batch, h / size, w / size, filters)`"""
    return batch_norm(layers.Conv2D(filters, size, strides=size, use_bias=False, name=name)(x), norm)


def block(x, activation, name):
    """Figure 4, right: 3x3 on the first quarter, then twice as wide and back at each position, added to the input."""
    filters = x.shape[-1]
    part, rest = ops.split(x, [filters // 4], axis=-1)
    part = layers.Conv2D(filters // 4, 3, padding="same", use_bias=False, name=f"{name}-spatial_mixing-partial_conv3")(
        part
    )
    y = layers.Concatenate(name=f"{name}-concat")([part, rest])
    y = batch_norm(layers.Conv2D(2 * filters, 1, use_bias=False, name=f"{name}-mlp-0")(y), f"{name}-mlp-1")
    y = layers.Activation(activation, name=f"{name}-mlp-2")(y)
    y = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}-mlp-3")(y)
    return layers.Add(name=f"{name}-add")([x, y])


def fasternet(image, *, num_classes, depths, filters, activation="relu", features=False):
    """Wire `depths` blocks per stage, `filters` wide in the first.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 4 to 32.
    """
    x = patches(image, filters, 4, "patch_embed-proj", "patch_embed-norm")
    pyramid = {}
    for stage, depth in enumerate(depths):
        if stage > 0:
            name = f"stages-{stage}-downsample"
            x = patches(x, filters * 2**stage, 2, f"{name}-reduction", f"{name}-norm")
        for index in range(depth):
            x = block(x, activation, f"stages-{stage}-blocks-{index}")
        pyramid[4 * 2**stage] = x
    if features:
        return pyramid
    x = layers.GlobalAveragePooling2D(name="global_pool")(x)
    x = layers.Dense(1280, activation=activation, use_bias=False, name="conv_head")(x)
    return layers.Dense(num_classes, name="classifier")(x) if num_classes else x
