"""CSPNeXt: cross-stage partial networks with large depthwise kernels, the backbone of RTMDet.

Lyu et al., 2022, https://arxiv.org/abs/2212.07784, figure 3b. Names as in timm.
"""

from functools import partial

from keras import layers

from zoo.architectures.blocks import classify, conv_norm_act, effective_squeeze_excite

conv = partial(conv_norm_act, activation="silu")


def block(x, residual, name):
    """Figure 3b: 3x3, then a depthwise 5x5 and 1x1, added to the input."""
    filters = x.shape[-1]
    y = conv(x, filters, 3, name=f"{name}-conv1")
    y = conv(y, filters, 5, groups=filters, name=f"{name}-conv2-depthwise_conv")
    y = conv(y, filters, 1, name=f"{name}-conv2-pointwise_conv")
    return layers.Add(name=f"{name}-add")([y, x]) if residual else y


def cross_stage(x, filters, depth, residual, name):
    """Half of the channels go through the blocks, half pass by; then they are weighed and mixed."""
    aside = conv(x, filters // 2, 1, name=f"{name}-short_conv")
    x = conv(x, filters // 2, 1, name=f"{name}-main_conv")
    for index in range(depth):
        x = block(x, residual, f"{name}-blocks-{index}")
    x = layers.Concatenate(name=f"{name}-concat")([x, aside])
    x = effective_squeeze_excite(x, f"{name}-attention-fc")
    return conv(x, filters, 1, name=f"{name}-final_conv")


def pyramid_pooling(x, name):
    """Max pooling over three sizes, concatenated: what a position sees grows. He et al., 2014."""
    filters = x.shape[-1]
    x = conv(x, filters // 2, 1, name=f"{name}-conv1")
    pooled = [layers.MaxPooling2D(size, 1, padding="same", name=f"{name}-pool{size}")(x) for size in (5, 9, 13)]
    x = layers.Concatenate(name=f"{name}-concat")([x, *pooled])
    return conv(x, filters, 1, name=f"{name}-conv2")


def cspnext(image, *, num_classes, depths, filters, features=False):
    """Wire `depths` blocks per stage of `filters` channels.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x = conv(image, filters[0] // 4, 3, strides=2, name="stem-0")
    x = conv(x, filters[0] // 4, 3, name="stem-1")
    x = conv(x, filters[0] // 2, 3, name="stem-2")
    pyramid = {2: x}
    for stage, (depth, width) in enumerate(zip(depths, filters, strict=True)):
        last = stage == len(depths) - 1
        x = conv(x, width, 3, strides=2, name=f"stages-{stage}-0")
        if last:
            x = pyramid_pooling(x, f"stages-{stage}-1")
        x = cross_stage(x, width, depth, not last, f"stages-{stage}-{2 if last else 1}")
        pyramid[4 * 2**stage] = x
    return pyramid if features else classify(x, num_classes, "head-fc")
