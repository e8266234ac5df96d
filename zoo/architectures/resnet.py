"""ResNet and what became of it: the "d" stem, ResNeXt, wide, squeeze-and-excitation, anti-aliased.

He et al., 2015, https://arxiv.org/abs/1512.03385, figure 5 and table 1; the tweaks are figure 2 of
https://arxiv.org/abs/1812.01187; blur before subsampling is https://arxiv.org/abs/1904.11486. Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import (
    anti_alias,
    batch_norm,
    classify,
    conv2d,
    max_pool_stem,
    round_channels,
    squeeze_excite,
)


def stem(x, kind, filters, anti_aliasing, pool):
    """Four times smaller. `kind` is `plain` (7x7), `deep` or `tiered` (three 3x3 of rising width)."""
    width = filters
    if kind == "plain":
        x = conv2d(x, width, 7, strides=2, name="conv1")
    else:
        first = 3 * (filters // 4) if kind == "tiered" else filters
        width = 2 * filters
        for index, (channels, strides) in enumerate([(first, 2), (filters, 1)]):
            x = conv2d(x, channels, 3, strides=strides, name=f"conv1-{3 * index}")
            x = batch_norm(x, f"conv1-{3 * index + 1}")
            x = layers.ReLU(name=f"conv1-{3 * index + 2}")(x)
        x = conv2d(x, width, 3, name="conv1-6")
    x = batch_norm(x, "bn1")
    x = stage0 = layers.ReLU(name="act1")(x)
    if pool == "conv":
        x = conv2d(x, width, 3, strides=2, name="maxpool-0")
        x = batch_norm(x, "maxpool-1")
        return layers.ReLU(name="maxpool-2")(x), stage0
    if anti_aliasing == "average":  # takes the place of max pooling altogether
        return anti_alias(x, "average", "maxpool"), stage0
    if anti_aliasing == "blur":
        x = layers.MaxPooling2D(3, 1, padding="same", name="maxpool-0")(x)
        return anti_alias(x, "blur", "maxpool-1"), stage0
    return max_pool_stem(x, "maxpool"), stage0


def shortcut(x, filters, strides, kind, name):
    """Match the branch: 1x1 convolution, strided (`conv`) or after average pooling (`average`)."""
    if kind == "conv":
        x = conv2d(x, filters, 1, strides=strides, name=f"{name}-0")
        return batch_norm(x, f"{name}-1")
    if strides > 1:
        x = layers.AveragePooling2D(2, strides, padding="same", name=f"{name}-0")(x)
    x = conv2d(x, filters, 1, name=f"{name}-1")
    return batch_norm(x, f"{name}-2")


def block(x, width, *, bottleneck, strides, groups, base_width, anti_aliasing, squeeze, shortcut_kind, name):
    """Figure 5: two 3x3 (left), or 1x1, 3x3, 1x1 (right), added to the shortcut."""
    outputs = 4 * width if bottleneck else width
    blurred = anti_aliasing if strides > 1 else None
    inner = int(width * base_width / 64) * groups
    x_in = x
    index = 1
    if bottleneck:
        x = conv2d(x, inner, 1, name=f"{name}-conv1")
        x = layers.ReLU(name=f"{name}-act1")(batch_norm(x, f"{name}-bn1"))
        index = 2
    x = conv2d(x, inner, 3, strides=1 if blurred else strides, groups=groups, name=f"{name}-conv{index}")
    x = layers.ReLU(name=f"{name}-act{index}")(batch_norm(x, f"{name}-bn{index}"))
    if blurred:
        x = anti_alias(x, blurred, f"{name}-aa")
    x = conv2d(x, outputs, 1 if bottleneck else 3, name=f"{name}-conv{index + 1}")
    x = batch_norm(x, f"{name}-bn{index + 1}")
    if squeeze:
        x = squeeze_excite(x, round_channels(outputs * squeeze, round_limit=0), f"{name}-se")
    if strides > 1 or x_in.shape[-1] != outputs:
        x_in = shortcut(x_in, outputs, strides, shortcut_kind, f"{name}-downsample")
    x = layers.Add(name=f"{name}-add")([x, x_in])
    return layers.ReLU(name=f"{name}-act{index + 1}")(x)


def resnet(
    image,
    *,
    num_classes,
    depths,
    bottleneck=False,
    stem_kind="plain",
    stem_filters=64,
    stem_pool="max",
    shortcut_kind="conv",
    anti_aliasing=None,
    groups=1,
    base_width=64,
    squeeze=None,
    features=False,
):
    """Wire figure 5's blocks as table 1 says, `depths` blocks a stage.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x, stage0 = stem(image, stem_kind, stem_filters, anti_aliasing, stem_pool)
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
                anti_aliasing=anti_aliasing,
                squeeze=squeeze,
                shortcut_kind=shortcut_kind,
                name=f"layer{stage + 1}-{index}",
            )
        pyramid[4 * 2**stage] = x
    return pyramid if features else classify(x, num_classes, "fc")
