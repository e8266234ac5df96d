"""What several families share: PyTorch's padding, batch normalisation, squeeze-and-excitation, the classifier.

Layer names are the module paths of the reference implementation with `-` for `.`: they are the weights' file format.
"""

import math

from keras import layers
from keras.initializers import VarianceScaling

from zoo.layers import Blur2D, EfficientChannelAttention, GlobalContextPooling2D

THIN = 16  # channels, below which `subsample` is needed


def conv2d(x, filters, kernel_size, *, strides=1, dilation_rate=1, groups=1, use_bias=False, padding="symmetric", name):
    """Convolution padded by `dilation_rate * (kernel_size - 1) // 2` on each side, as PyTorch's networks do.

    Keras' own `same`, TensorFlow's, pads strided convolutions on the right and below only: for networks from there.
    `(batch, h, w, c) -> (batch, ceil(h / strides), ceil(w / strides), filters)` for odd kernels.
    """
    if kernel_size == 1 and x.shape[-1] < THIN:
        x, strides = subsample(x, strides, f"{name}-subsample"), 1
    x, padding = pad2d(x, kernel_size, strides=strides, dilation_rate=dilation_rate, padding=padding, name=name)
    return layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        dilation_rate=dilation_rate,
        groups=groups,
        use_bias=use_bias,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def depthwise_conv2d(x, kernel_size, *, strides=1, dilation_rate=1, use_bias=False, padding="symmetric", name):
    """One filter a channel, padded as in `conv2d`. `(batch, h, w, c) -> (batch, ceil(h / strides), ..., c)`"""
    x, padding = pad2d(x, kernel_size, strides=strides, dilation_rate=dilation_rate, padding=padding, name=name)
    return layers.DepthwiseConv2D(
        kernel_size,
        strides=strides,
        padding=padding,
        dilation_rate=dilation_rate,
        use_bias=use_bias,
        depthwise_initializer=VarianceScaling(2.0, "fan_out"),  # each output sees one channel only, not fan_in
        name=name,
    )(x)


def subsample(x, strides, name):
    """Every `strides`-th row and column, which is all that a 1x1 kernel with these strides reads.

    Of fewer than `THIN` channels, at sides that the strides divide, the gradient of such a kernel writes beyond its
    memory on CPUs (oneDNN in TensorFlow 2.21), and the process may die at any time after.
    """
    return layers.AveragePooling2D(1, strides, name=name)(x) if strides > 1 else x


def pad2d(x, kernel_size, *, strides=1, dilation_rate=1, padding="symmetric", name):
    """Pad `x` symmetrically for a window, where `same` would not; return it and the `padding` that the window wants."""
    if padding == "same" or kernel_size == 1 or (strides == 1 and kernel_size % 2 == 1):
        return x, "same"
    return layers.ZeroPadding2D(dilation_rate * (kernel_size - 1) // 2, name=f"{name}-pad")(x), "valid"


def batch_norm(x, name, *, epsilon=1e-5):
    """Batch normalisation with PyTorch's momentum (Keras' 0.9 is its 0.1) and epsilon."""
    return layers.BatchNormalization(momentum=0.9, epsilon=epsilon, name=name)(x)


def group_norm(x, name, *, groups=32, epsilon=1e-5):
    """Normalisation over groups of channels of one image."""
    return layers.GroupNormalization(groups, epsilon=epsilon, name=name)(x)


def activate(x, activation, name):
    """An activation by its name in Keras, with PyTorch's slope where it leaks; none for None."""
    if activation == "leaky_relu":
        return layers.LeakyReLU(0.01, name=name)(x)
    return layers.Activation(activation, name=name)(x) if activation else x


def conv_norm_act(
    x,
    filters,
    kernel_size,
    *,
    strides=1,
    dilation_rate=1,
    groups=1,
    activation="relu",
    epsilon=1e-5,
    padding="symmetric",
    name,
):
    """Convolution, batch normalisation, activation: `conv`, `bn`, `act` after `name`. Depthwise where groups say so."""
    if groups == x.shape[-1] == filters:
        x = depthwise_conv2d(
            x, kernel_size, strides=strides, dilation_rate=dilation_rate, padding=padding, name=f"{name}-conv"
        )
    else:
        x = conv2d(
            x,
            filters,
            kernel_size,
            strides=strides,
            dilation_rate=dilation_rate,
            groups=groups,
            padding=padding,
            name=f"{name}-conv",
        )
    return activate(batch_norm(x, f"{name}-bn", epsilon=epsilon), activation, f"{name}-act")


def average_pool_shortcut(x, strides, name, *, dilated=False):
    """2x2 average pooling for the shortcut of a block that strides; at the edges the average of what is there.

    Where the block is `dilated` in place of being strided it is pooled densely, with zeros at the edges.
    """
    if dilated:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}-pad")(x)
        return layers.AveragePooling2D(2, 1, name=name)(x)
    return layers.AveragePooling2D(2, strides, padding="same", name=name)(x) if strides > 1 else x


class Dilation:
    """Strides that become dilation rates as soon as the maps are at an output stride.

    Chen et al., 2017, https://arxiv.org/abs/1706.05587, section 3.1.

    Args:
        output_stride: Stride of the last map, in pixels of the image.
        stride: That of the map before the first `step`.
        dilate_first: Whether the convolution that would have been strided is dilated by the new rate already, as in
            segmentation_models_pytorch; else it sees dense pixels, and only those after it are.

    Attributes:
        stride: That of the map now.
        rate: Dilation rate of what follows a step, and `first_rate` of its first convolution.
    """

    def __init__(self, output_stride=32, stride=1, *, dilate_first=False):
        self.output_stride, self.stride, self.dilate_first = output_stride, stride, dilate_first
        self.rate = self.first_rate = 1

    def step(self, strides):
        """The strides that are left of `strides`."""
        self.first_rate = self.rate
        if self.stride * strides > self.output_stride:
            self.rate *= strides
            strides = 1
        self.stride *= strides
        if self.dilate_first:
            self.first_rate = self.rate
        return strides


def max_pool_stem(x, name):
    """3x3 max pooling, stride 2, padded by one on each side. `x` is not negative: zero is as good as minus infinity."""
    x = layers.ZeroPadding2D(1, name=f"{name}-pad")(x)
    return layers.MaxPooling2D(3, 2, name=name)(x)


def anti_alias(x, kind, name):
    """Halve the map after a low-pass filter: `average`, `blur` or, with zeros around the map, `zero_padded_blur`."""
    if kind == "average":
        return layers.AveragePooling2D(2, name=name)(x)
    if kind == "zero_padded_blur":
        x = layers.ZeroPadding2D(1, name=f"{name}-pad")(x)
        return Blur2D(3, strides=2, padding="valid", name=name)(x)
    return Blur2D(3, strides=2, padding="reflect", name=name)(x)


def squeeze_excite(x, filters, name, *, names=("fc1", "fc2"), activation="relu", gate="sigmoid"):
    """Channel attention through `filters` channels. Hu et al., 2018, https://arxiv.org/abs/1709.01507, figure 2."""
    scale = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}-pool")(x)  # (batch, 1, 1, c)
    scale = layers.Conv2D(filters, 1, activation=activation, name=f"{name}-{names[0]}")(scale)
    scale = layers.Conv2D(x.shape[-1], 1, activation=gate, name=f"{name}-{names[1]}")(scale)
    return layers.Multiply(name=f"{name}-scale")([x, scale])


def efficient_channel_attention(x, name, *, channels=None):
    """Channel attention through a convolution over neighbouring channels, as wide as their number (`channels`) asks."""
    width = int(abs(math.log2(channels or x.shape[-1]) + 1) / 2)
    return EfficientChannelAttention(max(width + 1 - width % 2, 3), name=f"{name}-conv")(x)


def global_context(x, filters, name, *, activation="relu", fuse="scale"):
    """Attention by what a softmax over positions picks: it scales the channels, or is added (`fuse="add"`) to them.

    Cao et al., 2019, https://arxiv.org/abs/1904.11492, figure 4d.
    """
    where = layers.Conv2D(1, 1, name=f"{name}-conv_attn")(x)
    context = GlobalContextPooling2D(name=f"{name}-pool")([x, where])
    branch = f"{name}-mlp_{fuse}"
    context = layers.Conv2D(filters, 1, name=f"{branch}-fc1")(context)
    context = layers.LayerNormalization(epsilon=1e-6, name=f"{branch}-norm")(context)
    context = layers.Activation(activation, name=f"{branch}-act")(context)
    gate = "sigmoid" if fuse == "scale" else None
    context = layers.Conv2D(x.shape[-1], 1, activation=gate, name=f"{branch}-fc2")(context)
    merge = layers.Multiply if fuse == "scale" else layers.Add
    return merge(name=f"{name}-{fuse}")([x, context])


def effective_squeeze_excite(x, name, *, gate="hard_sigmoid"):
    """Channel attention without a bottleneck. Lee and Park, 2019, https://arxiv.org/abs/1911.06667, figure 3c."""
    scale = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}-pool")(x)
    scale = layers.Conv2D(x.shape[-1], 1, activation=gate, name=name)(scale)
    return layers.Multiply(name=f"{name}-scale")([x, scale])


def classify(x, num_classes, name):
    """Average over space and project: `(batch, h, w, c) -> (batch, num_classes)`, logits; 0 classes: no projection."""
    x = layers.GlobalAveragePooling2D(name="global_pool")(x)
    return layers.Dense(num_classes, name=name)(x) if num_classes else x


def round_channels(channels, divisor=8, round_limit=0.9):
    """The nearest multiple of `divisor`, at least one, and not more than 10 % below `channels` (`round_limit`)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < round_limit * channels else rounded
