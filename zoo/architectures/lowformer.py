"""LowFormer-E: the convolutional part of LowFormer, made for what devices really execute fast.

Nottebaum et al., 2024, https://arxiv.org/abs/2409.03460, figure 2, without its attention. Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import activate, batch_norm, conv2d, depthwise_conv2d


def conv(x, filters, kernel_size, *, strides=1, use_bias=False, norm=True, activation="hard_swish", name):
    """Convolution, depthwise for no `filters`, normalisation, activation."""
    if filters is None:
        x = depthwise_conv2d(x, kernel_size, strides=strides, use_bias=use_bias, name=f"{name}-conv")
    else:
        x = conv2d(x, filters, kernel_size, strides=strides, use_bias=use_bias, name=f"{name}-conv")
    if norm:
        x = batch_norm(x, f"{name}-norm")
    return activate(x, activation, f"{name}-act")


def fused(x, filters, *, expansion, strides=1, use_bias=False, name):
    """A full 3x3 expands, a 1x1 projects; added to the input where the shape stays."""
    x_in = x
    width = round(x.shape[-1] * expansion)
    x = conv(x, width, 3, strides=strides, use_bias=use_bias, name=f"{name}-spatial_conv")
    x = conv(x, filters, 1, activation=None, name=f"{name}-point_conv")
    return layers.Add(name=f"{name}-add")([x, x_in]) if strides == 1 else x


def inverted(x, filters, *, expansion, name):
    """1x1, depthwise 3x3, 1x1, normalised at the end alone; added to the input."""
    y = conv(x, round(x.shape[-1] * expansion), 1, use_bias=True, norm=False, name=f"{name}-inverted_conv")
    y = conv(y, None, 3, use_bias=True, norm=False, name=f"{name}-depth_conv")
    y = conv(y, filters, 1, activation=None, name=f"{name}-point_conv")
    return layers.Add(name=f"{name}-add")([y, x])


def head(x, num_classes, widths):
    """1x1, pool, a wide layer, normalised; project."""
    x = conv(x, widths[0], 1, name="in_conv")
    x = layers.GlobalAveragePooling2D(name="global_pool")(x)
    x = layers.Dense(widths[1], use_bias=False, name="pre_classifier-0")(x)
    x = layers.LayerNormalization(epsilon=1e-5, name="pre_classifier-1")(x)
    x = layers.Activation("hard_swish", name="pre_classifier-2")(x)
    return layers.Dense(num_classes, name="classifier")(x) if num_classes else x


def lowformer(image, *, num_classes, depths, filters, stem_expansion=2, head_widths=(1536, 1600), features=False):
    """Wire the stem and four stages; the last two begin with a strided block besides their `depths`.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 4 to 32.
    """
    x = conv(image, filters[0], 3, strides=2, name="stem-0")
    for index in range(depths[0]):
        x = fused(x, filters[0], expansion=stem_expansion, name=f"stem-{index + 1}-main")
    pyramid = {}
    for stage, (depth, width) in enumerate(zip(depths[1:], filters[1:], strict=True)):
        name = f"stages-{stage}"
        x = fused(x, width, expansion=6, strides=2, name=f"{name}-0-main")
        for index in range(1, depth + 1 if stage >= 2 else depth):
            if stage < 2:
                x = fused(x, width, expansion=4, name=f"{name}-{index}-main")
            elif width < 256:
                x = fused(x, width, expansion=4, use_bias=True, name=f"{name}-{index}-local-main")
            else:
                x = inverted(x, width, expansion=4, name=f"{name}-{index}-local-main")
        pyramid[4 * 2**stage] = x
    return pyramid if features else head(x, num_classes, head_widths)
