"""PP-LCNetV2: depthwise separable convolutions, trained with several kernel sizes in parallel.

PaddleClas, https://github.com/PaddlePaddle/PaddleClas/blob/release/2.6/docs/en/models/PP-LCNetV2_en.md, figure 2.
Names as in timm.
"""

from functools import partial

from keras import layers

from zoo.architectures.blocks import conv_norm_act, round_channels, squeeze_excite


def filter_channels(x, kernel_size, strides, branched, name):
    """A depthwise convolution, or the sum of those of all odd sizes up to its own; 1x1 only without strides."""
    conv = partial(conv_norm_act, x, x.shape[-1], strides=strides, groups=x.shape[-1])
    if not branched:
        return conv(kernel_size, name=f"{name}-dw_conv")
    sizes = [size for size in range(kernel_size, 0, -2) if size > 1 or strides == 1]
    terms = [conv(size, activation=None, name=f"{name}-dw_conv_list-{index}") for index, size in enumerate(sizes)]
    return layers.ReLU(name=f"{name}-dw_act")(layers.Add(name=f"{name}-dw_add")(terms))


def block(x, filters, *, kernel_size=3, strides=1, branched=False, squeeze=False, split=False, residual=False, name):
    """Filter each channel, weigh them, mix them with one 1x1 or, `split`, through half as many channels."""
    x_in = x
    x = filter_channels(x, kernel_size, strides, branched, name)
    if squeeze:
        x = squeeze_excite(x, x.shape[-1] // 4, f"{name}-se")
    if split:
        x = conv_norm_act(x, filters // 2, 1, name=f"{name}-pw_conv-0")
        x = conv_norm_act(x, filters, 1, name=f"{name}-pw_conv-1")
    else:
        x = conv_norm_act(x, filters, 1, name=f"{name}-pw_conv")
    if residual and strides == 1 and x_in.shape[-1] == filters:
        x = layers.Add(name=f"{name}-add")([x, x_in])
    return x


STAGES = [  # figure 2: the third stage splits, squeezes and branches, the last branches and adds
    {},
    {},
    {"kernel_size": 5, "split": True, "branched": True, "squeeze": True},
    {"kernel_size": 5, "branched": True, "residual": True},
]


def lcnetv2(image, *, num_classes, depths, width=1.0, features=False):
    """Wire `depths` blocks per stage.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 4 to 32.
    """
    x = conv_norm_act(image, round_channels(32 * width), 3, strides=2, name="stem-0")
    x = block(x, round_channels(64 * width), name="stem-1")
    pyramid = {}
    for stage, (depth, options) in enumerate(zip(depths, STAGES, strict=True)):
        filters = round_channels(128 * 2**stage * width)
        for index in range(depth):
            x = block(x, filters, strides=2 if index == 0 else 1, **options, name=f"stages-{stage}-{index}")
        pyramid[4 * 2**stage] = x
    if features:
        return pyramid
    x = layers.GlobalAveragePooling2D(name="global_pool")(x)
    x = layers.Dense(1280, activation="relu", use_bias=False, name="conv_head")(x)
    return layers.Dense(num_classes, name="classifier")(x) if num_classes else x
