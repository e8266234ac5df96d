"""RepViT: a mobile network whose blocks are those of a vision transformer, without attention.

Wang et al., 2023, https://arxiv.org/abs/2307.09283, figures 3, 4b and 5. Published as trained, with parallel branches.
Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import batch_norm, conv2d, depthwise_conv2d, round_channels, squeeze_excite


def conv_norm(x, filters, kernel_size, *, strides=1, name):
    """Convolution, depthwise for no `filters`, and normalisation."""
    if filters is None:
        x = depthwise_conv2d(x, kernel_size, strides=strides, name=f"{name}-c")
    else:
        x = conv2d(x, filters, kernel_size, strides=strides, name=f"{name}-c")
    return batch_norm(x, f"{name}-bn")


def token_mixer(x, legacy, name):
    """Figure 3d: depthwise 3x3, depthwise 1x1 and the input, added and normalised (`legacy`: each by itself)."""
    small = f"{name}-conv1"
    y = conv_norm(x, None, 1, name=small) if legacy else depthwise_conv2d(x, 1, use_bias=True, name=small)
    x = layers.Add(name=f"{name}-add")([conv_norm(x, None, 3, name=f"{name}-conv"), y, x])
    return x if legacy else batch_norm(x, f"{name}-bn")


def channel_mixer(x, name):
    """Twice as wide and back, added to the input."""
    filters = x.shape[-1]
    y = conv_norm(x, 2 * filters, 1, name=f"{name}-conv1")
    y = layers.Activation("gelu", name=f"{name}-act")(y)
    y = conv_norm(y, filters, 1, name=f"{name}-conv2")
    return layers.Add(name=f"{name}-add")([x, y])


def block(x, squeeze, legacy, name):
    """Figure 3d: mix positions, weigh channels (every second block), mix channels."""
    x = token_mixer(x, legacy, f"{name}-token_mixer")
    if squeeze:
        x = squeeze_excite(x, round_channels(x.shape[-1] / 4, round_limit=0), f"{name}-se")
    return channel_mixer(x, f"{name}-channel_mixer")


def downsample(x, filters, legacy, name):
    """Figure 4b: a block, a strided depthwise 3x3, then 1x1 and a channel mixer."""
    x = block(x, False, legacy, f"{name}-pre_block")
    x = conv_norm(x, None, 3, strides=2, name=f"{name}-spatial_downsample")
    x = conv_norm(x, filters, 1, name=f"{name}-channel_downsample")
    return channel_mixer(x, f"{name}-ffn")


def head(x, num_classes, distilled):
    """Pool, normalise, project; the mean with a second head that was trained on another network's outputs."""
    x = layers.GlobalAveragePooling2D(name="global_pool")(x)
    if not num_classes:
        return x
    names = ["head-head", "head-head_dist"] if distilled else ["head-head"]
    outputs = [layers.Dense(num_classes, name=f"{name}-l")(batch_norm(x, f"{name}-bn")) for name in names]
    return layers.Average(name="head-mean")(outputs) if distilled else outputs[0]


def repvit(image, *, num_classes, depths, filters, legacy=False, distilled=True, features=False):
    """Wire `depths` blocks of `filters` channels per stage.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 4 to 32.
    """
    x = conv_norm(image, filters[0] // 2, 3, strides=2, name="stem-conv1")
    x = layers.Activation("gelu", name="stem-act1")(x)
    x = conv_norm(x, filters[0], 3, strides=2, name="stem-conv2")
    pyramid = {}
    for stage, (depth, width) in enumerate(zip(depths, filters, strict=True)):
        if stage > 0:
            x = downsample(x, width, legacy, f"stages-{stage}-downsample")
        for index in range(depth):
            x = block(x, index % 2 == 0, legacy, f"stages-{stage}-blocks-{index}")
        pyramid[4 * 2**stage] = x
    return pyramid if features else head(x, num_classes, distilled)
