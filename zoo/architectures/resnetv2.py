"""ResNetV2 and BiT: residual blocks that normalise first.

He et al., 2016, https://arxiv.org/abs/1603.05027, figure 4e. Big Transfer, Kolesnikov et al., 2019,
https://arxiv.org/abs/1912.11370, section 3.1: standardised kernels and group normalisation, wider. Names as in timm.
"""

from functools import partial

from keras import layers

from zoo.architectures.blocks import (
    average_pool_shortcut,
    batch_norm,
    classify,
    conv2d,
    group_norm,
    max_pool_stem,
    pad2d,
    round_channels,
)
from zoo.layers import CenteredMaxPooling2D, EvoNorm2D, StandardizedConv2D


def standardized_conv2d(x, filters, kernel_size, *, strides=1, epsilon, name):
    """As `conv2d`, with a kernel of mean 0 and variance 1."""
    x, padding = pad2d(x, kernel_size, strides=strides, name=name)
    layer = StandardizedConv2D(
        filters, kernel_size, strides=strides, padding=padding, use_bias=False, epsilon=epsilon, name=name
    )
    return layer(x)


def norm_act(x, name, *, kind):
    """Normalise over the `batch`, over `group`s of channels, or as EvoNorm (`evolved`), which activates itself."""
    if kind == "evolved":
        return EvoNorm2D(32, name=name)(x)
    norm = batch_norm if kind == "batch" else group_norm
    return layers.ReLU(name=f"{name}-act")(norm(x, name))


def stem(x, kind, filters, conv, norm):
    """A quarter of the size: 7x7, or `deep`, three 3x3, and max pooling. Returns the map before the pooling too."""
    if kind == "deep":
        x = norm(conv(x, filters // 2, 3, strides=2, name="stem-conv1"), "stem-norm1")
        x = norm(conv(x, filters // 2, 3, name="stem-conv2"), "stem-norm2")
        x = conv(x, filters, 3, name="stem-conv3")
    else:
        x = conv(x, filters, 7, strides=2, name="stem-conv")
    if kind == "zeros":  # around a map that may be negative: zeros win against it, as in TensorFlow's BiT
        return max_pool_stem(x, "stem-pool"), x
    return CenteredMaxPooling2D(3, 2, name="stem-pool")(x), x


def block(x, filters, *, strides, bottleneck, conv, norm, average, project, name):
    """Figure 4e: normalise, activate, convolve, two or three times; the shortcut begins after the first activation."""
    x_in = x
    x = norm(x, f"{name}-norm1")
    if project:
        x_in = average_pool_shortcut(x, strides, f"{name}-downsample-pool") if average else x
        x_in = conv(x_in, filters, 1, strides=1 if average else strides, name=f"{name}-downsample-conv")
    if bottleneck:
        width = round_channels(filters / 4)
        x = norm(conv(x, width, 1, name=f"{name}-conv1"), f"{name}-norm2")
        x = norm(conv(x, width, 3, strides=strides, name=f"{name}-conv2"), f"{name}-norm3")
        x = conv(x, filters, 1, name=f"{name}-conv3")
    else:
        x = norm(conv(x, filters, 3, strides=strides, name=f"{name}-conv1"), f"{name}-norm2")
        x = conv(x, filters, 3, name=f"{name}-conv2")
    return layers.Add(name=f"{name}-add")([x, x_in])


def resnetv2(
    image,
    *,
    num_classes,
    depths,
    filters=(256, 512, 1024, 2048),
    width=1,
    bottleneck=True,
    stem_kind="plain",
    average_shortcut=False,
    norm_kind="batch",
    kernel_epsilon=None,
    features=False,
):
    """Wire the blocks; `kernel_epsilon` asks for standardised kernels, `width` multiplies all filters.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    conv = partial(standardized_conv2d, epsilon=kernel_epsilon) if kernel_epsilon else conv2d
    norm = partial(norm_act, kind=norm_kind)
    x, stage0 = stem(image, stem_kind, 64 * width, conv, norm)
    pyramid = {2: stage0}
    for stage, (depth, channels) in enumerate(zip(depths, filters, strict=True)):
        for index in range(depth):
            strides = 2 if stage > 0 and index == 0 else 1
            fits = strides == 1 and x.shape[-1] == channels * width
            x = block(
                x,
                channels * width,
                strides=strides,
                bottleneck=bottleneck,
                conv=conv,
                norm=norm,
                average=average_shortcut,
                project=index == 0 and (bottleneck or not fits),
                name=f"stages-{stage}-blocks-{index}",
            )
        pyramid[4 * 2**stage] = x
    return pyramid if features else classify(norm(x, "norm"), num_classes, "head-fc")
