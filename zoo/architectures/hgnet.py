"""PP-HGNet, versions 1 and 2: every block concatenates what all of its layers computed.

PaddleClas, https://github.com/PaddlePaddle/PaddleClas/blob/release/2.6/docs/en/models/PP-HGNet_en.md; the blocks are
those of VoVNet, https://arxiv.org/abs/1904.09730, figure 1. Version 2 is the backbone of RT-DETR,
https://arxiv.org/abs/2304.08069. Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import conv_norm_act, effective_squeeze_excite, max_pool_stem
from zoo.layers import LearnableAffine


def conv(x, filters, kernel_size, *, strides=1, groups=1, activation="relu", affine=False, name):
    """Convolution, normalisation, activation and, in the smaller networks of version 2, a learned affine map."""
    x = conv_norm_act(x, filters, kernel_size, strides=strides, groups=groups, activation=activation, name=name)
    return LearnableAffine(name=f"{name}-lab")(x) if affine and activation else x


def stem(x, filters):
    """Version 1: three 3x3 and max pooling. `(batch, h, w, 3) -> (batch, h/4, w/4, c)`"""
    for index, width in enumerate(filters):
        x = conv(x, width, 3, strides=2 if index == 0 else 1, name=f"stem-stem-{index}")
    return max_pool_stem(x, "stem-pool")


def forked_stem(x, filters, affine):
    """Version 2: between two strided 3x3 a branch of two 2x2 convolutions beside one of max pooling."""
    middle, last = filters
    below_and_right = ((0, 1), (0, 1))
    x = conv(x, middle, 3, strides=2, affine=affine, name="stem-stem1")
    x = layers.ZeroPadding2D(below_and_right, name="stem-pad1")(x)
    branch = conv(x, middle // 2, 2, affine=affine, name="stem-stem2a")
    branch = layers.ZeroPadding2D(below_and_right, name="stem-pad2")(branch)
    branch = conv(branch, middle, 2, affine=affine, name="stem-stem2b")
    x = layers.MaxPooling2D(2, 1, name="stem-pool")(x)
    x = layers.Concatenate(name="stem-concat")([x, branch])
    x = conv(x, middle, 3, strides=2, affine=affine, name="stem-stem3")
    return conv(x, last, 1, affine=affine, name="stem-stem4")


def layer(x, filters, kernel_size, light, affine, name):
    """A convolution, or a `light` one: across channels, then in each."""
    if not light:
        return conv(x, filters, kernel_size, affine=affine, name=name)
    x = conv(x, filters, 1, activation=None, name=f"{name}-conv1")
    return conv(x, filters, kernel_size, groups=filters, affine=affine, name=f"{name}-conv2")


def block(x, width, filters, *, count, kernel_size, light, version, affine, residual, name):
    """`count` layers in a row; their outputs and the input are concatenated and aggregated."""
    outputs = [x]
    for index in range(count):
        outputs.append(layer(outputs[-1], width, kernel_size, light, affine, f"{name}-layers-{index}"))
    y = layers.Concatenate(name=f"{name}-concat")(outputs)
    if version == 1:
        y = conv(y, filters, 1, name=f"{name}-aggregation-0")
        y = effective_squeeze_excite(y, f"{name}-aggregation-1-conv", gate="sigmoid")
    else:
        y = conv(y, filters // 2, 1, affine=affine, name=f"{name}-aggregation-0")
        y = conv(y, filters, 1, affine=affine, name=f"{name}-aggregation-1")
    return layers.Add(name=f"{name}-add")([y, x]) if residual else y


def head(x, num_classes, affine):
    """Pool, one wide layer, project. `(batch, h, w, c) -> (batch, num_classes)`"""
    x = layers.GlobalAveragePooling2D(name="global_pool")(x)
    x = layers.Dense(2048, activation="relu", use_bias=False, name="head-last_conv-0")(x)
    if affine:
        x = LearnableAffine(name="head-last_conv-2")(x)
    return layers.Dense(num_classes, name="head-fc")(x) if num_classes else x


def hgnet(
    image,
    *,
    num_classes,
    stem_filters,
    widths,
    filters,
    depths,
    count,
    version=2,
    affine=False,
    features=False,
):
    """Wire `depths` blocks per stage, of `count` layers of `widths` channels, aggregated to `filters`.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 4 to 32.
    """
    x = stem(image, stem_filters) if version == 1 else forked_stem(image, stem_filters, affine)
    pyramid = {}
    for stage, (width, outputs, depth) in enumerate(zip(widths, filters, depths, strict=True)):
        name = f"stages-{stage}"
        if stage > 0:
            x = conv(x, x.shape[-1], 3, strides=2, groups=x.shape[-1], activation=None, name=f"{name}-downsample")
        light = version == 2 and stage >= 2
        for index in range(depth):
            x = block(
                x,
                width,
                outputs,
                count=count,
                kernel_size=5 if light else 3,
                light=light,
                version=version,
                affine=affine,
                residual=index > 0,
                name=f"{name}-blocks-{index}",
            )
        pyramid[4 * 2**stage] = x
    return pyramid if features else head(x, num_classes, affine)
