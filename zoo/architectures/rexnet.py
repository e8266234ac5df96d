"""ReXNet: inverted residuals that grow by a few channels with every block.

Han et al., 2020, https://arxiv.org/abs/2007.00992, section 4.2 and table 5. Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import batch_norm, classify, conv_norm_act, round_channels


def squeeze(x, divisor, name):
    """Squeeze-and-excitation through a twelfth of the channels, normalised there."""
    width = round_channels(int(x.shape[-1] / 12), divisor)
    scale = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}-pool")(x)
    scale = batch_norm(layers.Conv2D(width, 1, name=f"{name}-fc1")(scale), f"{name}-bn")
    scale = layers.ReLU(name=f"{name}-act")(scale)
    scale = layers.Conv2D(x.shape[-1], 1, activation="sigmoid", name=f"{name}-fc2")(scale)
    return layers.Multiply(name=f"{name}-scale")([x, scale])


def block(x, filters, *, expansion, strides, squeezed, divisor, name):
    """Expand, filter each channel, squeeze, ReLU6, project; the input is added to as many channels as it has."""
    x_in = x
    if expansion > 1:
        width = round_channels(x.shape[-1] * expansion, divisor)
        x = conv_norm_act(x, width, 1, activation="silu", name=f"{name}-conv_exp")
    x = conv_norm_act(x, x.shape[-1], 3, strides=strides, groups=x.shape[-1], activation=None, name=f"{name}-conv_dw")
    if squeezed:
        x = squeeze(x, divisor, f"{name}-se")
    x = layers.Activation("relu6", name=f"{name}-act_dw")(x)
    x = conv_norm_act(x, filters, 1, activation=None, name=f"{name}-conv_pwl")
    kept = x_in.shape[-1]
    if strides > 1 or kept > filters:
        return x
    if kept == filters:
        return layers.Add(name=f"{name}-add")([x, x_in])
    added = layers.Add(name=f"{name}-add")([x[..., :kept], x_in])
    return layers.Concatenate(name=f"{name}-concat")([added, x[..., kept:]])


def rexnet(image, *, num_classes, width=1.0, divisor=1, features=False):
    """Wire 16 blocks whose widths grow evenly from 16 to 185 channels, times `width`, in multiples of `divisor`.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    depths, all_strides = (1, 2, 2, 3, 3, 5), (1, 2, 2, 2, 1, 2)
    total = sum(depths)
    x = conv_norm_act(image, round_channels(round(32 * width), divisor), 3, strides=2, activation="silu", name="stem")
    pyramid, stride, index = {2: x}, 2, 0
    for stage, (depth, strides) in enumerate(zip(depths, all_strides, strict=True)):
        for repeat in range(depth):
            filters = round_channels(round((16 + 180 / total * index) * width), divisor)
            x = block(
                x,
                filters,
                expansion=6 if stage > 0 else 1,
                strides=strides if repeat == 0 else 1,
                squeezed=stage > 1,
                divisor=divisor,
                name=f"features-{index}",
            )
            index += 1
        stride *= strides
        pyramid[stride] = x
    if features:
        return pyramid
    x = conv_norm_act(x, round_channels(1280 * width, divisor), 1, activation="silu", name=f"features-{index}")
    return classify(x, num_classes, "head-fc")
