"""ConvNeXt, versions 1 and 2.

Liu et al., 2022, https://arxiv.org/abs/2201.03545, figure 4 and table 9; version 2 is Woo et al., 2023,
https://arxiv.org/abs/2301.00808, figure 5: a response normalisation in place of the layer scale. Names and the small
sizes as in timm. Stochastic depth, which only training from scratch wants, is left out.
"""

from functools import partial

from keras import layers, ops

from zoo.architectures.blocks import classify, conv2d, depthwise_conv2d, round_channels
from zoo.layers import GlobalResponseNorm, LayerScale, SimpleNorm


def normalize(x, name, *, kind, epsilon):
    """Normalise each position over its channels. `kind` is `layer` or `simple`, which subtracts no mean."""
    if kind == "simple":
        return SimpleNorm(epsilon, name=name)(x)
    return layers.LayerNormalization(epsilon=epsilon, name=name)(x)


def pointwise(x, filters, kind, name):
    """A linear layer at each position, in the file a matrix (`dense`) or a 1x1 convolution (`conv`)."""
    layer = layers.Conv2D(filters, 1, name=name) if kind == "conv" else layers.Dense(filters, name=name)
    return layer(x)


def stem(x, kind, filters, norm):
    """Four times smaller: 4x4 `patch`; or two 3x3, `overlap`, also `tiered` in width or with `act`ivation between."""
    if kind == "patch":
        x = layers.Conv2D(filters, 4, strides=4, name="stem-0")(x)
        return norm(x, "stem-1")
    first = round_channels(filters // 2) if kind == "overlap_tiered" else filters
    x = conv2d(x, first, 3, strides=2, use_bias=True, name="stem-0")
    index = 1
    if kind == "overlap_act":
        x = layers.Activation("gelu", name="stem-1")(x)
        index = 2
    x = conv2d(x, filters, 3, strides=2, use_bias=True, name=f"stem-{index}")
    return norm(x, f"stem-{index + 1}")


def downsample(x, filters, norm, name):
    """Between stages: `(batch, h, w, c) -> (batch, h/2, w/2, filters)`."""
    return layers.Conv2D(filters, 2, strides=2, name=f"{name}-1")(norm(x, f"{name}-0"))


def activate(x, activation, name):
    """The activation by its name; `gelu_tanh` is GELU's approximation."""
    return ops.gelu(x, approximate=True) if activation == "gelu_tanh" else layers.Activation(activation, name=name)(x)


def block(x, norm, *, kernel_size, response_norm, pointwise_kind, activation, name):
    """Figure 4, right: depthwise 7x7, then widen four times and back at each position, added to the input."""
    filters, x_in = x.shape[-1], x
    x = depthwise_conv2d(x, kernel_size, use_bias=True, name=f"{name}-conv_dw")
    x = norm(x, f"{name}-norm")
    x = pointwise(x, 4 * filters, pointwise_kind, f"{name}-mlp-fc1")
    x = activate(x, activation, f"{name}-mlp-act")
    if response_norm:
        x = GlobalResponseNorm(name=f"{name}-mlp-grn")(x)
    x = pointwise(x, filters, pointwise_kind, f"{name}-mlp-fc2")
    if not response_norm:
        x = LayerScale(name=name)(x)  # its `gamma` is a bare parameter of the block
    return layers.Add(name=f"{name}-add")([x_in, x])


def head(x, num_classes, norm, hidden):
    """Pool, normalise, project: `(batch, h, w, c) -> (batch, num_classes)`; some have a `hidden` layer before."""
    x = layers.GlobalAveragePooling2D(name="global_pool")(x)
    x = norm(x, "head-norm")
    if hidden:
        x = layers.Dense(hidden, activation="gelu", name="head-pre_logits-fc")(x)
    return layers.Dense(num_classes, name="head-fc")(x) if num_classes else x


def convnext(
    image,
    *,
    num_classes,
    depths,
    filters,
    stem_kind="patch",
    response_norm=False,
    pointwise_kind="dense",
    norm_kind="layer",
    epsilon=1e-6,
    norm_first=False,
    head_filters=None,
    kernel_sizes=(7, 7, 7, 7),
    activation="gelu",
    features=False,
):
    """Wire figure 4's blocks as table 9 says, `depths` blocks of `filters` channels per stage.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 4 to 32.
    """
    norm = partial(normalize, kind=norm_kind, epsilon=epsilon)
    x = stem(image, stem_kind, filters[0], norm)
    pyramid = {}
    for stage, (depth, width) in enumerate(zip(depths, filters, strict=True)):
        if stage > 0:
            x = downsample(x, width, norm, f"stages-{stage}-downsample")
        for index in range(depth):
            name = f"stages-{stage}-blocks-{index}"
            x = block(
                x,
                norm,
                kernel_size=kernel_sizes[stage],
                response_norm=response_norm,
                pointwise_kind=pointwise_kind,
                activation=activation,
                name=name,
            )
        pyramid[4 * 2**stage] = x
    if features:
        return pyramid
    if norm_first:  # the order of most other networks
        return classify(norm(x, "norm_pre"), num_classes, "head-fc")
    return head(x, num_classes, norm, head_filters)
