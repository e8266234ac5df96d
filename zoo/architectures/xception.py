"""Xception, depthwise separable convolutions throughout, and the aligned Xception of DeepLab.

Chollet, 2016, https://arxiv.org/abs/1610.02357, figure 5; the aligned one is figure 4 of Chen et al., 2018,
https://arxiv.org/abs/1802.02611, in its sizes 41, 65 and 71, and in timm's with activation first (41p, 65p). Names as
in timm.
"""

from keras import layers

from zoo.architectures.blocks import batch_norm, classify, conv2d, depthwise_conv2d
from zoo.layers import CenteredMaxPooling2D


def separable(x, filters, name):
    """A 3x3 filter a channel, then a mix of channels: `(b, h, w, c) -> (b, h, w, filters)`"""
    x = depthwise_conv2d(x, 3, name=f"{name}-conv1")
    return conv2d(x, filters, 1, name=f"{name}-pointwise")


def stem(x):
    """Two 3x3 convolutions without padding: `(b, h, w, 3) -> (b, (h - 1) // 2 - 2, (w - 1) // 2 - 2, 64)`"""
    for index, (filters, strides) in enumerate([(32, 2), (64, 1)], start=1):
        x = layers.Conv2D(
            filters, 3, strides=strides, use_bias=False, kernel_initializer="he_normal", name=f"conv{index}"
        )(x)
        x = layers.ReLU(name=f"act{index}")(batch_norm(x, f"bn{index}"))
    return x


def module(x, filters, *, strides=1, activate_first=True, name):
    """One box of figure 5: ReLU, separable convolution and normalisation, once for each of `filters`, and a shortcut.

    Returns the sum and the activated input, which timm counts as the level's map.
    """
    x_in, activated, index = x, None, 0
    for number, channels in enumerate(filters):
        if number > 0 or activate_first:
            x = layers.ReLU(name=f"{name}-rep-{index}")(x)
            activated = x if number == 0 else activated
            index += 1
        x = separable(x, channels, f"{name}-rep-{index}")
        x = batch_norm(x, f"{name}-rep-{index + 1}")
        index += 2
    if strides > 1:
        x = CenteredMaxPooling2D(3, strides, name=f"{name}-rep-{index}")(x)
        x_in = conv2d(x_in, filters[-1], 1, strides=strides, name=f"{name}-skip")
        x_in = batch_norm(x_in, f"{name}-skipbn")
    return layers.Add(name=f"{name}-add")([x, x_in]), activated


def xception(image, *, num_classes, features=False):
    """Wire figure 5: entry flow (modules 1 to 3), middle flow (4 to 11), exit flow.

    Returns logits `(batch, num_classes)`; 2048 pooled features for 0 classes; with `features` maps by stride, 2 to 32.
    """
    pyramid = {2: (x := stem(image))}
    x, _ = module(x, (128, 128), strides=2, activate_first=False, name="block1")
    x, pyramid[4] = module(x, (256, 256), strides=2, name="block2")
    x, pyramid[8] = module(x, (728, 728), strides=2, name="block3")
    for number in range(4, 12):
        x, _ = module(x, (728, 728, 728), name=f"block{number}")
    x, pyramid[16] = module(x, (728, 1024), strides=2, name="block12")
    for number, filters in ((3, 1536), (4, 2048)):
        x = separable(x, filters, f"conv{number}")
        x = layers.ReLU(name=f"act{number}")(batch_norm(x, f"bn{number}"))
    pyramid[32] = x
    return pyramid if features else classify(x, num_classes, "fc")


def aligned_stem(x, preactivation, epsilon):
    """Two 3x3 convolutions, the second bare where activation comes first: `(b, h, w, 3) -> (b, h/2, w/2, 64)`"""
    x = conv2d(x, 32, 3, strides=2, name="stem-0-conv")
    x = layers.ReLU(name="stem-0-act")(batch_norm(x, "stem-0-bn", epsilon=epsilon))
    if preactivation:
        return conv2d(x, 64, 3, name="stem-1")
    x = conv2d(x, 64, 3, name="stem-1-conv")
    return layers.ReLU(name="stem-1-act")(batch_norm(x, "stem-1-bn", epsilon=epsilon))


def aligned_module(x, filters, *, strides, last, epsilon, name):
    """A box of figure 4: ReLU and separable convolution three times, the third strided in place of pooling; shortcut.

    The `last` has no shortcut, and its ReLUs stand after each half of a separable convolution.
    Returns the sum and the map before the third convolution, which timm counts as the level's.
    """

    def normalise(x, suffix, activate=last):
        x = batch_norm(x, f"{name}-{suffix}", epsilon=epsilon)
        return layers.ReLU(name=f"{name}-{suffix}-act")(x) if activate else x

    x_in, third = x, None
    for index, channels in enumerate(filters, start=1):
        if not last:
            x = layers.ReLU(name=f"{name}-stack-act{index}")(x)
        third = x
        x = depthwise_conv2d(x, 3, strides=strides if index == 3 else 1, name=f"{name}-stack-conv{index}-conv_dw")
        x = normalise(x, f"stack-conv{index}-bn_dw")
        x = conv2d(x, channels, 1, name=f"{name}-stack-conv{index}-conv_pw")
        x = normalise(x, f"stack-conv{index}-bn_pw")
    if last:
        return x, third
    if strides > 1 or x_in.shape[-1] != filters[-1]:
        x_in = conv2d(x_in, filters[-1], 1, strides=strides, name=f"{name}-shortcut-conv")
        x_in = normalise(x_in, "shortcut-bn", activate=False)
    return layers.Add(name=f"{name}-add")([x, x_in]), third


def preactivated_module(x, filters, *, strides, last, epsilon, name):
    """As `aligned_module`, but normalisation and ReLU come before each separable convolution and the shortcut."""

    def activate(x, suffix):
        return layers.ReLU(name=f"{name}-{suffix}-act")(batch_norm(x, f"{name}-{suffix}", epsilon=epsilon))

    x = x_in = activate(x, "norm")
    third = None
    for index, channels in enumerate(filters, start=1):
        if index > 1:
            third = x
            x = activate(x, f"stack-conv{index}-norm")
        x = depthwise_conv2d(x, 3, strides=strides if index == 3 else 1, name=f"{name}-stack-conv{index}-conv_dw")
        x = conv2d(x, channels, 1, name=f"{name}-stack-conv{index}-conv_pw")
    if last:
        return x, third
    if strides > 1 or x_in.shape[-1] != filters[-1]:
        x_in = conv2d(x_in, filters[-1], 1, strides=strides, name=f"{name}-shortcut")
    return layers.Add(name=f"{name}-add")([x, x_in]), third


def aligned_xception(image, *, num_classes, entry, middle, preactivation=False, epsilon=1e-3, features=False):
    """Wire figure 4: `entry` contains filters and strides of each module of the entry flow, `middle` counts the next.

    Returns logits `(batch, num_classes)`; 2048 pooled features for 0 classes; with `features` maps by stride, 2 to 32.
    """
    rows = [((filters,) * 3, strides) for filters, strides in entry]
    rows += [((728, 728, 728), 1)] * middle + [((728, 1024, 1024), 2), ((1536, 1536, 2048), 1)]
    build = preactivated_module if preactivation else aligned_module
    x = aligned_stem(image, preactivation, epsilon)
    pyramid, stride = {}, 2
    for index, (filters, strides) in enumerate(rows):
        last = index == len(rows) - 1
        x, third = build(x, filters, strides=strides, last=last, epsilon=epsilon, name=f"blocks-{index}")
        if strides > 1:
            pyramid[stride] = third
            stride *= strides
    pyramid[stride] = x
    if preactivation:
        x = layers.ReLU(name="act")(x)
    return pyramid if features else classify(x, num_classes, "head-fc")
