"""ResNeSt: the 3x3 of a ResNet's bottleneck is split, and a softmax over the splits weighs their channels.

Zhang et al., 2020, https://arxiv.org/abs/2004.08955, figures 1 (right) and 2. Names as in timm.
"""

from functools import partial

from keras import layers, ops

from zoo.architectures.blocks import batch_norm, classify, conv2d, round_channels
from zoo.architectures.resnet import shortcut, stem


def split_attention(x, filters, *, strides, groups, radix, name):
    """Figure 2: a grouped 3x3 to `radix` splits, their sum squeezed, a weight for each channel of each split."""
    x = conv2d(x, filters * radix, 3, strides=strides, groups=groups * radix, name=f"{name}-conv")
    x = layers.ReLU(name=f"{name}-act0")(batch_norm(x, f"{name}-bn0"))
    splits = ops.split(x, radix, axis=-1) if radix > 1 else [x]
    gap = layers.Add(name=f"{name}-sum")(splits) if radix > 1 else x
    gap = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}-pool")(gap)
    width = max(32, round_channels(filters * radix / 4))
    gap = layers.Conv2D(width, 1, groups=groups, name=f"{name}-fc1")(gap)
    gap = layers.ReLU(name=f"{name}-act1")(batch_norm(gap, f"{name}-bn1"))
    weights = layers.Conv2D(filters * radix, 1, groups=groups, name=f"{name}-fc2")(gap)
    if radix == 1:
        return layers.Multiply(name=f"{name}-scale")([x, ops.sigmoid(weights)])
    weights = ops.softmax(ops.reshape(weights, (-1, groups, radix, filters // groups)), axis=2)
    weights = ops.reshape(ops.transpose(weights, (0, 2, 1, 3)), (-1, radix, 1, 1, filters))
    terms = [split * weights[:, index] for index, split in enumerate(splits)]
    return layers.Add(name=f"{name}-add")(terms)


def average_pool(x, strides, name):
    """3x3 with zeros around the map, counted in: the paper's way to subsample."""
    return layers.AveragePooling2D(3, strides, name=name)(layers.ZeroPadding2D(1, name=f"{name}-pad")(x))


def block(x, width, *, strides, pools, pool_first, groups, base_width, radix, name):
    """1x1, split attention, 1x1, added to the shortcut; where it `pools`, average pooling takes over the strides."""
    inner = int(width * base_width / 64) * groups
    x_in = x
    x = layers.ReLU(name=f"{name}-act1")(batch_norm(conv2d(x, inner, 1, name=f"{name}-conv1"), f"{name}-bn1"))
    if pools and pool_first:
        x = average_pool(x, strides, f"{name}-avd_first")
    x = split_attention(x, inner, strides=1 if pools else strides, groups=groups, radix=radix, name=f"{name}-conv2")
    if pools and not pool_first:
        x = average_pool(x, strides, f"{name}-avd_last")
    x = batch_norm(conv2d(x, 4 * width, 1, name=f"{name}-conv3"), f"{name}-bn3")
    if strides > 1 or x_in.shape[-1] != 4 * width:
        x_in = shortcut(x_in, 4 * width, strides, batch_norm, "average", 1, f"{name}-downsample")
    return layers.ReLU(name=f"{name}-act3")(layers.Add(name=f"{name}-add")([x, x_in]))


def resnest(
    image,
    *,
    num_classes,
    depths,
    stem_filters=32,
    groups=1,
    base_width=64,
    radix=2,
    pool_first=False,
    features=False,
):
    """Wire `depths` blocks per stage.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x, stage0 = stem(image, "deep", stem_filters, batch_norm, None, "max")
    make_block = partial(block, pool_first=pool_first, groups=groups, base_width=base_width, radix=radix)
    pyramid = {2: stage0}
    for stage, depth in enumerate(depths):
        for index in range(depth):
            strides = 2 if stage > 0 and index == 0 else 1
            x = make_block(x, 64 * 2**stage, strides=strides, pools=strides > 1, name=f"layer{stage + 1}-{index}")
        pyramid[4 * 2**stage] = x
    return pyramid if features else classify(x, num_classes, "fc")
