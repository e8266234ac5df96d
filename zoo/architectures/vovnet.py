"""VoVNet version 2: the outputs of all layers of a block are concatenated once, at its end.

Lee et al., 2019, https://arxiv.org/abs/1904.09730, figure 1b; residual and with a channel attention of one layer: Lee
and Park, 2019, https://arxiv.org/abs/1911.06667, figure 3. Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import (
    batch_norm,
    classify,
    conv2d,
    conv_norm_act,
    depthwise_conv2d,
    effective_squeeze_excite,
)


def conv(x, filters, *, strides=1, depthwise, name):
    """3x3, normalisation, ReLU; or a depthwise 3x3 and 1x1 in its place."""
    if not depthwise:
        return conv_norm_act(x, filters, 3, strides=strides, name=name)
    x = depthwise_conv2d(x, 3, strides=strides, name=f"{name}-conv_dw")
    x = batch_norm(conv2d(x, filters, 1, name=f"{name}-conv_pw"), f"{name}-bn")
    return layers.ReLU(name=f"{name}-act")(x)


def max_pool(x, name):
    """3x3, stride 2, from the first pixel on, whole or not; nothing is negative, so zeros do not count."""
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}-pad")(x)
    return layers.MaxPooling2D(3, 2, name=name)(x)


def block(x, width, filters, *, count, depthwise, residual, squeeze, name):
    """Figure 1b: `count` layers in a row, all concatenated with the input and mixed by a 1x1."""
    outputs, y = [x], x
    if depthwise and x.shape[-1] != width:
        y = conv_norm_act(x, width, 1, name=f"{name}-conv_reduction")
    for index in range(count):
        y = conv(y, width, depthwise=depthwise, name=f"{name}-conv_mid-{index}")
        outputs.append(y)
    y = conv_norm_act(layers.Concatenate(name=f"{name}-concat")(outputs), filters, 1, name=f"{name}-conv_concat")
    if squeeze:
        y = effective_squeeze_excite(y, f"{name}-attn-fc")
    return layers.Add(name=f"{name}-add")([y, x]) if residual else y


def vovnet(image, *, num_classes, stem_filters, widths, filters, depths, count, depthwise=False, features=False):
    """Wire `depths` blocks per stage of `count` layers of `widths` channels, mixed to `filters`.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x = conv_norm_act(image, stem_filters[0], 3, strides=2, name="stem-0")
    x = conv(x, stem_filters[1], depthwise=depthwise, name="stem-1")
    pyramid = {2: x}
    x = conv(x, stem_filters[2], strides=2, depthwise=depthwise, name="stem-2")
    for stage, (width, outputs, depth) in enumerate(zip(widths, filters, depths, strict=True)):
        if stage > 0:
            x = max_pool(x, f"stages-{stage}-pool")
        for index in range(depth):
            x = block(
                x,
                width,
                outputs,
                count=count,
                depthwise=depthwise,
                residual=index > 0,
                squeeze=index == depth - 1,
                name=f"stages-{stage}-blocks-{index}",
            )
        pyramid[4 * 2**stage] = x
    return pyramid if features else classify(x, num_classes, "head-fc")
