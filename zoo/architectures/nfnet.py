"""Networks without normalisation: NF-ResNet, NF-RegNet, NFNet.

Brock et al., 2021, https://arxiv.org/abs/2101.08692, equations 1 and 5 (scaled standardised kernels);
https://arxiv.org/abs/2102.06171, figure 5 and table 1 (NFNet). Names as in timm.
"""

from typing import NamedTuple

from keras import activations, ops

from zoo.architectures.blocks import (
    average_pool_shortcut,
    classify,
    efficient_channel_attention,
    pad2d,
    round_channels,
    squeeze_excite,
)
from zoo.layers import CenteredMaxPooling2D, ScaledStandardizedConv2D, SkipInit

DEVIATION = {"relu": 1.7139588594436646, "gelu": 1.7015043497085571, "silu": 1.7881293296813965}  # one over it
BRANCH = 0.2  # how much of the variance each branch adds: alpha


class Style(NamedTuple):
    """What all blocks of a network have in common.

    `scaled_activation`: what keeps the variance is multiplied to the activations (DeepMind's) or to the kernels.
    `attention` is the share that squeeze-and-excitation has in its middle, or `efficient`, or None. A `narrow` block,
    RegNet's, takes its width from its input and weighs its channels in the middle. `extra`: two 3x3 in the middle.
    """

    activation: str = "silu"
    scaled_activation: bool = False
    padding: str = "symmetric"
    attention: float | str | None = None
    ratio: float = 0.25
    group_width: int | None = None
    narrow: bool = False
    extra: bool = False
    skip_init: bool = False

    def activate(self, x, scale=1.0):
        """The activation, times `scale`."""
        scale = scale * (DEVIATION[self.activation] if self.scaled_activation else 1.0)
        return activations.get(self.activation)(x) * scale

    def conv(self, x, filters, kernel_size, *, strides=1, groups=1, name):
        """Convolution with a scaled standardised kernel."""
        x, padding = pad2d(x, kernel_size, strides=strides, padding=self.padding, name=name)
        scale = 1.0 if self.scaled_activation else DEVIATION[self.activation]
        layer = ScaledStandardizedConv2D(
            filters, kernel_size, strides=strides, groups=groups, padding=padding, scale=scale, epsilon=1e-5, name=name
        )
        return layer(x)

    def attend(self, x, name):
        """Weigh the channels; gates are one half on average, which is made up for."""
        if self.attention is None:
            return x
        if self.attention == "efficient":
            return 2.0 * efficient_channel_attention(x, name)
        return 2.0 * squeeze_excite(x, round_channels(x.shape[-1] * self.attention, round_limit=0), name)


def block(x, style, filters, *, ratio, strides, deviation, name):
    """NFNet, figure 5: the input over its deviation, activated, 1x1, 3x3, (3x3,) 1x1, added to the shortcut."""
    middle = round_channels((x.shape[-1] if style.narrow else filters) * ratio)
    groups = middle // style.group_width if style.group_width else 1
    middle = groups * style.group_width if style.group_width else middle
    fits = strides == 1 and x.shape[-1] == filters
    x_in, x = x, style.activate(x, 1 / deviation)
    if not fits:
        x_in = average_pool_shortcut(x, strides, f"{name}-downsample-pool")
        x_in = style.conv(x_in, filters, 1, name=f"{name}-downsample-conv")
    x = style.conv(x, middle, 1, name=f"{name}-conv1")
    x = style.conv(style.activate(x), middle, 3, strides=strides, groups=groups, name=f"{name}-conv2")
    if style.extra:
        x = style.conv(style.activate(x), middle, 3, groups=groups, name=f"{name}-conv2b")
    if style.narrow:
        x = style.attend(x, f"{name}-attn")
    x = style.conv(style.activate(x), filters, 1, name=f"{name}-conv3")
    if not style.narrow:
        x = style.attend(x, f"{name}-attn_last")
    if style.skip_init:
        x = SkipInit(name=name)(x)
    return ops.add(BRANCH * x, x_in)


def stem(x, style, kind, filters):
    """Returns the map, and maps by stride. `kind`: `quad`, four 3x3; `conv`, one; `pool`, 7x7 and pooling."""
    if kind == "conv":
        x = style.conv(x, filters, 3, strides=2, name="stem-conv")
        return x, {2: x}
    if kind == "pool":
        x = style.conv(x, filters, 7, strides=2, name="stem-conv")
        return CenteredMaxPooling2D(3, 2, name="stem-pool")(x), {2: x}
    x = style.conv(x, filters // 8, 3, strides=2, name="stem-conv1")
    x = style.conv(style.activate(x), filters // 4, 3, name="stem-conv2")
    x = half = style.conv(style.activate(x), filters // 2, 3, name="stem-conv3")
    return style.conv(style.activate(x), filters, 3, strides=2, name="stem-conv4"), {2: half}


def nfnet(image, *, num_classes, depths, filters, stem_kind, stem_filters, head_filters=None, style, features=False):
    """Wire `depths` blocks of `filters` channels per stage, keeping count of the variance that branches add up.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    style = Style(**style)
    x, pyramid = stem(image, style, stem_kind, stem_filters)
    stride, variance = 2 if stem_kind == "conv" else 4, 1.0
    for stage, (depth, width) in enumerate(zip(depths, filters, strict=True)):
        strides = 1 if stage == 0 and stride == 4 else 2
        stride *= strides
        for index in range(depth):
            x = block(
                x,
                style,
                width,
                ratio=1.0 if style.narrow and stage == index == 0 else style.ratio,
                strides=strides if index == 0 else 1,
                deviation=variance**0.5,
                name=f"stages-{stage}-{index}",
            )
            variance = (1.0 if index == 0 else variance) + BRANCH**2
        pyramid[stride] = x
    if head_filters:
        x = pyramid[stride] = style.conv(x, head_filters, 1, name="final_conv")
    return pyramid if features else classify(style.activate(x), num_classes, "head-fc")
