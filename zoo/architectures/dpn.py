"""DPN: dual path networks, of which one path is added to and one grows.

Chen et al., 2017, https://arxiv.org/abs/1707.01629, figure 2d and table 1. Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import batch_norm, classify, conv2d, conv_norm_act, max_pool_stem


def norm_act_conv(x, filters, kernel_size, *, strides=1, groups=1, name):
    """Normalisation, ReLU, convolution."""
    x = norm_act(x, name)
    return conv2d(x, filters, kernel_size, strides=strides, groups=groups, name=f"{name}-conv")


def norm_act(x, name):
    """Normalisation and ReLU."""
    return layers.ReLU(name=f"{name}-act")(batch_norm(x, f"{name}-bn", epsilon=1e-3))


def block(x, width, filters, growth, *, groups, strides, project, forked, name):
    """Figure 2d: 1x1, grouped 3x3, 1x1; `filters` of the outputs are added to the first channels, `growth` appended."""
    kept = x
    if project:
        part = f"{name}-c1x1_w_s{strides}"
        kept = norm_act_conv(x, filters + 2 * growth, 1, strides=strides, name=part)
    x = norm_act_conv(x, width, 1, name=f"{name}-c1x1_a")
    x = norm_act_conv(x, width, 3, strides=strides, groups=groups, name=f"{name}-c3x3_b")
    if forked:
        x = norm_act(x, f"{name}-c1x1_c")
        added = conv2d(x, filters, 1, name=f"{name}-c1x1_c1")
        appended = conv2d(x, growth, 1, name=f"{name}-c1x1_c2")
    else:
        x = norm_act_conv(x, filters + growth, 1, name=f"{name}-c1x1_c")
        added, appended = x[..., :filters], x[..., filters:]
    added = layers.Add(name=f"{name}-add")([kept[..., :filters], added])
    return layers.Concatenate(name=f"{name}-concat")([added, kept[..., filters:], appended])


def dpn(
    image,
    *,
    num_classes,
    depths,
    growths,
    stem_filters,
    stem_kernel_size=7,
    filters=256,
    width,
    groups=32,
    forked=False,
    features=False,
):
    """Wire table 1: `filters` and `width` of the first stage double with every stage; `growths` are per block.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x = conv_norm_act(image, stem_filters, stem_kernel_size, strides=2, epsilon=1e-3, name="features-conv1_1")
    pyramid = {2: x}
    x = max_pool_stem(x, "features-conv1_pool")
    for stage, (depth, growth) in enumerate(zip(depths, growths, strict=True)):
        for index in range(depth):
            x = block(
                x,
                width * 2**stage,
                filters * 2**stage,
                growth,
                groups=groups,
                strides=2 if stage > 0 and index == 0 else 1,
                project=index == 0,
                forked=forked,
                name=f"features-conv{stage + 2}_{index + 1}",
            )
        pyramid[4 * 2**stage] = x
    if features:
        return pyramid
    return classify(norm_act(x, "features-conv5_bn_ac"), num_classes, "classifier")
