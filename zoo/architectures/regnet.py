"""RegNet X, Y, V and Z: bottlenecks whose widths follow a line.

Radosavovic et al., 2020, https://arxiv.org/abs/2003.13678, section 3.3, figure 4 (X block), table 9; Y adds
squeeze-and-excitation. V, with the normalisation first, is timm's; Z is of Dollar et al., 2021,
https://arxiv.org/abs/2103.06877, figure 5: wide in the middle, linear at its ends. Names as in timm.
"""

import itertools
import math

from keras import layers

from zoo.architectures.blocks import (
    activate,
    average_pool_shortcut,
    batch_norm,
    classify,
    conv2d,
    conv_norm_act,
    round_channels,
    squeeze_excite,
)


def stages_of_a_line(depth, initial_width, slope, multiplier):
    """Section 3.3, equations 2 to 4: block `j` is `initial_width + slope * j` wide, quantised. `(width, depth)`s."""
    widths = []
    for block in range(depth):
        power = round(math.log((initial_width + slope * block) / initial_width) / math.log(multiplier))
        widths.append(8 * round(initial_width * multiplier**power / 8))
    return [(width, len(list(group))) for width, group in itertools.groupby(sorted(widths))]


def fit_groups(width, group_width, expansion, round_limit):
    """Round the width of a stage so that the groups of its 3x3 convolutions come out even: `(width, group_width)`."""
    middle = int(width * expansion)
    group_width = min(group_width, middle)
    if round_limit:  # torchvision's way
        middle = round_channels(middle, group_width, round_limit)
    else:
        middle = round(middle / group_width) * group_width
    return int(middle / expansion), group_width


def shortcut(x, filters, strides, kind, normalized, name):
    """1x1 convolution, strided (`conv`) or after average pooling (`average`); the input itself where it fits."""
    if strides == 1 and x.shape[-1] == filters:
        return x
    if kind == "average":
        x, strides, name = average_pool_shortcut(x, strides, f"{name}-0"), 1, f"{name}-1"
    if normalized:
        return conv_norm_act(x, filters, 1, strides=strides, activation=None, name=name)
    return conv2d(x, filters, 1, strides=strides, name=name)


def block(x, filters, *, expansion, group_width, strides, squeeze, shortcut_kind, linear, activation, name):
    """Figure 4: 1x1, grouped 3x3, 1x1, added to the shortcut. Z has none where the shape changes, and ends linear."""
    x_in = x
    middle = round(filters * expansion)
    x = conv_norm_act(x, middle, 1, activation=activation, name=f"{name}-conv1")
    groups = middle // group_width
    x = conv_norm_act(x, middle, 3, strides=strides, groups=groups, activation=activation, name=f"{name}-conv2")
    if squeeze:
        x = squeeze_excite(x, round(x_in.shape[-1] * squeeze), f"{name}-se", activation=activation)
    x = conv_norm_act(x, filters, 1, activation=None, name=f"{name}-conv3")
    if shortcut_kind or (strides == 1 and x_in.shape[-1] == filters):
        x_in = shortcut(x_in, filters, strides, shortcut_kind, True, f"{name}-downsample")
        x = layers.Add(name=f"{name}-add")([x, x_in])
    return x if linear else activate(x, activation, f"{name}-act3")


def pre_activated_block(
    x, filters, *, expansion, group_width, strides, squeeze, shortcut_kind, linear, activation, name
):
    """The same with normalisation and activation before each convolution; the shortcut begins after the first. V."""
    middle = round(filters * expansion)
    filters_in = x.shape[-1]
    x = x_in = activate(batch_norm(x, f"{name}-norm1"), activation, f"{name}-norm1-act")
    x = conv2d(x, middle, 1, name=f"{name}-conv1")
    x = activate(batch_norm(x, f"{name}-norm2"), activation, f"{name}-norm2-act")
    x = conv2d(x, middle, 3, strides=strides, groups=middle // group_width, name=f"{name}-conv2")
    if squeeze:
        x = squeeze_excite(x, round(filters_in * squeeze), f"{name}-se", activation=activation)
    x = activate(batch_norm(x, f"{name}-norm3"), activation, f"{name}-norm3-act")
    x = conv2d(x, filters, 1, name=f"{name}-conv3")
    x_in = shortcut(x_in, filters, strides, shortcut_kind, False, f"{name}-downsample")
    return layers.Add(name=f"{name}-add")([x, x_in])


def regnet(
    image,
    *,
    num_classes,
    depth,
    initial_width,
    slope,
    multiplier,
    group_width,
    expansion=1,
    squeeze=None,
    round_limit=None,
    shortcut_kind="conv",
    linear=False,
    pre_activated=False,
    activation="relu",
    head_filters=None,
    features=False,
):
    """Wire `depth` blocks whose widths follow the line of `initial_width`, `slope` and `multiplier`.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    if pre_activated:
        x = conv2d(image, 32, 3, strides=2, name="stem")
    else:
        x = conv_norm_act(image, 32, 3, strides=2, activation=activation, name="stem")
    pyramid = {2: x}
    make_block = pre_activated_block if pre_activated else block
    for stage, (width, repeats) in enumerate(stages_of_a_line(depth, initial_width, slope, multiplier)):
        filters, fitted = fit_groups(width, group_width, expansion, round_limit)
        for index in range(repeats):
            x = make_block(
                x,
                filters,
                expansion=expansion,
                group_width=fitted,
                strides=2 if index == 0 else 1,
                squeeze=squeeze,
                shortcut_kind=shortcut_kind,
                linear=linear,
                activation=activation,
                name=f"s{stage + 1}-b{index + 1}",
            )
        pyramid[4 * 2**stage] = x
    if features:
        return pyramid
    if head_filters:
        x = conv_norm_act(x, head_filters, 1, activation=activation, name="final_conv")
    elif linear or pre_activated:
        x = activate(x, activation, "final_conv")
    return classify(x, num_classes, "head-fc")
