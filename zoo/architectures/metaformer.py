"""MetaFormer: PoolFormer and ConvFormer, transformers without attention.

Yu et al., 2021, https://arxiv.org/abs/2111.11418, figure 2 (PoolFormer); Yu et al., 2022,
https://arxiv.org/abs/2210.13452, figure 4 and table 1 (PoolFormerV2, ConvFormer, StarReLU). Names as in timm.
"""

from functools import partial

from keras import layers, ops

from zoo.architectures.blocks import depthwise_conv2d
from zoo.layers import LayerScale, StarReLU


def normalize(x, name, *, kind, use_bias):
    """Over the channels of a position (`layer`), or over those of the whole map (`group`)."""
    if kind == "layer":
        return layers.LayerNormalization(epsilon=1e-6, center=use_bias, name=name)(x)
    return layers.GroupNormalization(1, epsilon=1e-5 if use_bias else 1e-6, center=use_bias, name=name)(x)


def patches(x, filters, kernel_size, strides, margin, name):
    """A strided convolution: `(batch, h, w, c) -> (batch, h / strides, w / strides, filters)`."""
    x = layers.ZeroPadding2D(margin, name=f"{name}-pad")(x)
    return layers.Conv2D(filters, kernel_size, strides=strides, name=name)(x)


def pooling(x, name):
    """PoolFormer's token mixer: how the average of the neighbours differs from each position."""
    average = layers.AveragePooling2D(3, 1, padding="same", name=f"{name}-pool")(x)
    return layers.Subtract(name=f"{name}-subtract")([average, x])


def separable(x, name):
    """ConvFormer's: widen twofold, 7x7 in each channel, back; the inverted residual of MobileNetV2."""
    filters = x.shape[-1]
    x = layers.Conv2D(2 * filters, 1, use_bias=False, name=f"{name}-pwconv1")(x)
    x = StarReLU(name=f"{name}-act1")(x)
    x = depthwise_conv2d(x, 7, name=f"{name}-dwconv")
    return layers.Conv2D(filters, 1, use_bias=False, name=f"{name}-pwconv2")(x)


def feed_forward(x, use_bias, name):
    """Widen fourfold, activate, back."""
    filters = x.shape[-1]
    x = layers.Conv2D(4 * filters, 1, use_bias=use_bias, name=f"{name}-fc1")(x)
    x = layers.Activation("gelu", name=f"{name}-act")(x) if use_bias else StarReLU(name=f"{name}-act")(x)
    return layers.Conv2D(filters, 1, use_bias=use_bias, name=f"{name}-fc2")(x)


def block(x, norm, mix, *, first_version, scale_residual, name):
    """Figure 1a: mix positions, then channels, each added to its input; version 1 scales the branch, 2 the input."""
    for index, branch in enumerate([mix, partial(feed_forward, use_bias=first_version)], start=1):
        part = "token_mixer" if index == 1 else "mlp"
        y = branch(norm(x, f"{name}-norm{index}"), name=f"{name}-{part}")
        if first_version:
            y = LayerScale(1e-5, name=f"{name}-layer_scale{index}")(y)
        if scale_residual:
            x = LayerScale(1.0, name=f"{name}-res_scale{index}")(x)
        x = layers.Add(name=f"{name}-add{index}")([x, y])
    return x


def head(x, num_classes, hidden):
    """Pool, normalise and project; ConvFormer with a wide layer before. `(batch, h, w, c) -> (batch, num_classes)`"""
    x = layers.GlobalAveragePooling2D(name="head-global_pool")(x)
    x = layers.LayerNormalization(epsilon=1e-6, name="head-norm")(x)
    if num_classes and hidden:
        x = layers.Dense(4 * x.shape[-1], name="head-fc-fc1")(x)
        x = ops.square(ops.relu(x))
        x = layers.LayerNormalization(epsilon=1e-6, name="head-fc-norm")(x)
        return layers.Dense(num_classes, name="head-fc-fc2")(x)
    return layers.Dense(num_classes, name="head-fc")(x) if num_classes else x


def metaformer(image, *, num_classes, depths, filters, mixer, version=2, features=False):
    """Wire `depths` blocks of `filters` channels per stage; `mixer` is `pooling` or `separable`.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 4 to 32.
    """
    mix = {"pooling": pooling, "separable": separable}[mixer]
    norm = partial(normalize, kind="group" if mixer == "pooling" else "layer", use_bias=version == 1)
    norm_patches = partial(normalize, kind="layer", use_bias=False)
    x = patches(image, filters[0], 7, 4, 2, "stem-conv")
    if version == 2:
        x = norm_patches(x, "stem-norm")
    pyramid = {}
    for stage, (depth, width) in enumerate(zip(depths, filters, strict=True)):
        if stage > 0:
            if version == 2:
                x = norm_patches(x, f"stages-{stage}-downsample-norm")
            x = patches(x, width, 3, 2, 1, f"stages-{stage}-downsample-conv")
        for index in range(depth):
            name = f"stages-{stage}-blocks-{index}"
            scale_residual = version == 2 and stage >= 2
            x = block(x, norm, mix, first_version=version == 1, scale_residual=scale_residual, name=name)
        pyramid[4 * 2**stage] = x
    return pyramid if features else head(x, num_classes, hidden=mixer == "separable")
