"""Blocks of the networks for small devices: a wide middle, filtered channel by channel, between two narrow ends.

- Depthwise separable. Howard et al., 2017, https://arxiv.org/abs/1704.04861, figure 3.
- Inverted residual. Sandler et al., 2018, https://arxiv.org/abs/1801.04381, figure 4d; with squeeze-and-excitation
  Howard et al., 2019, https://arxiv.org/abs/1905.02244, figure 4.
- Fused. Tan and Le, 2021, https://arxiv.org/abs/2104.00298, figure 2.
- Universal. Qin et al., 2024, https://arxiv.org/abs/2404.10518, figure 4.
- Conditional. Yang et al., 2019, https://arxiv.org/abs/1904.04971, figure 1b.
- Several kernel sizes side by side. Tan and Le, 2019, https://arxiv.org/abs/1907.09595, figure 2.

How a network pads, normalises, squeezes and activates is the same everywhere in it: its `Style`. Every block takes
`(batch, h, w, c)` to `(batch, h / strides, w / strides, filters)`. Names as in timm.
"""

from collections.abc import Callable
from typing import NamedTuple

from keras import layers, ops

from zoo.architectures import blocks
from zoo.architectures.blocks import anti_alias, global_context, round_channels, squeeze_excite
from zoo.errors import InputError
from zoo.layers import ConditionalConv2D, EvoNorm2D, LayerScale


class Style(NamedTuple):
    """What all blocks of a network have in common.

    `padding` is `symmetric` or, for weights from TensorFlow, `same`; those also have an `epsilon` of 1e-3. `norm` is
    `batch`, `group` (of 8 channels), `layer`, or `evolved`, an EvoNorm of such groups, which activates by itself; where
    nothing is activated it only scales and shifts. The bottleneck of squeeze-and-excitation is a share of the block's
    input or, with `squeeze_expanded`, of the expanded channels, rounded to a multiple of `squeeze_divisor`; its
    activation is the block's or `squeeze_activation`. `squeeze_context` picks what is squeezed by a softmax over
    positions. `anti_aliasing` (a kind of `blocks.anti_alias`) takes over the strides of the convolutions that would
    subsample. `dilation_rate` is that of every kernel of more than one pixel, from the output stride on.
    """

    activation: str = "silu"
    padding: str = "symmetric"
    norm: str = "batch"
    epsilon: float = 1e-5
    squeeze_expanded: bool = False
    squeeze_divisor: int = 1
    squeeze_activation: str | None = None
    squeeze_gate: str = "sigmoid"
    squeeze_context: bool = False
    anti_aliasing: str | None = None
    dilation_rate: int = 1

    def conv2d(self, x, filters, kernel_size, *, strides=1, groups=1, name):
        options = {"strides": strides, "groups": groups, "padding": self.padding}
        return blocks.conv2d(x, filters, kernel_size, **options, dilation_rate=self._rate(kernel_size), name=name)

    def depthwise_conv2d(self, x, kernel_size, *, strides, name):
        options = {"strides": strides, "padding": self.padding}
        return blocks.depthwise_conv2d(x, kernel_size, **options, dilation_rate=self._rate(kernel_size), name=name)

    def _rate(self, kernel_size):
        return self.dilation_rate if kernel_size > 1 else 1

    def normalize(self, x, name, activation=None):
        """Normalisation and, if there is one, an activation."""
        if self.norm == "batch":
            x = blocks.batch_norm(x, name, epsilon=self.epsilon)
        elif self.norm == "group":
            x = blocks.group_norm(x, name, groups=x.shape[-1] // 8, epsilon=self.epsilon)
        elif self.norm == "layer":
            x = layers.LayerNormalization(epsilon=self.epsilon, name=name)(x)
        elif activation:
            return EvoNorm2D(x.shape[-1] // 8, epsilon=self.epsilon, name=name)(x)
        else:
            return LayerScale(1.0, use_bias=True, name=name)(x)
        return layers.Activation(activation, name=f"{name}-act")(x) if activation else x

    def filter_channels(self, x, kernel_size, *, strides, norm, activation, name, aa):
        """A convolution in each channel, or one for each part of them, normalised; then what `anti_aliasing` asks."""
        late = self.anti_aliasing is not None and strides > 1
        if isinstance(kernel_size, int):
            x = self.depthwise_conv2d(x, kernel_size, strides=1 if late else strides, name=name)
        else:
            x = mixed(
                x, kernel_size, lambda x, size, name: self.depthwise_conv2d(x, size, strides=strides, name=name), name
            )
        x = self.normalize(x, norm, activation)
        return anti_alias(x, self.anti_aliasing, aa) if late else x

    def mix_channels(self, x, filters, *, parts=1, name):
        """A convolution across channels, or one from each of `parts` of them to as many parts of the outputs."""
        if parts == 1:
            return self.conv2d(x, filters, 1, name=name)
        return mixed(x, split(filters, parts), lambda x, width, name: self.conv2d(x, width, 1, name=name), name)

    def squeeze(self, x, filters_in, ratio, width, activation, name):
        """Channel attention through `width` channels, or `ratio` of `filters_in`, the width of the block's input."""
        if width is None:
            width = round_channels(ratio * (x.shape[-1] if self.squeeze_expanded else filters_in), self.squeeze_divisor)
        activation = self.squeeze_activation or activation
        if self.squeeze_context:
            return global_context(x, width, name, activation=activation)
        return squeeze_excite(
            x, width, name, names=("conv_reduce", "conv_expand"), activation=activation, gate=self.squeeze_gate
        )


def split(channels, parts):
    """Widths of `parts` equal parts; the first takes what is over."""
    return [channels - channels // parts * (parts - 1)] + [channels // parts] * (parts - 1)


def mixed(x, kinds, convolve, name):
    """Another convolution, `convolve(x, kind, name)`, for each part of the channels."""
    widths = split(x.shape[-1], len(kinds))
    ends = [sum(widths[: index + 1]) for index in range(len(widths) - 1)]
    parts = ops.split(x, ends, axis=-1)
    outputs = [
        convolve(part, kind, f"{name}-{index}") for index, (part, kind) in enumerate(zip(parts, kinds, strict=True))
    ]
    return layers.Concatenate(name=f"{name}-concat")(outputs)


def expanded_width(filters_in, expansion, expanded):
    """Channels in the middle: a multiple of the input's, or just so many."""
    return expanded or round_channels(filters_in * expansion)


def plain(x, style, filters, *, kernel_size, strides, activation, name):
    """One convolution."""
    x = style.conv2d(x, filters, kernel_size, strides=strides, name=f"{name}-conv")
    return style.normalize(x, f"{name}-bn1", activation)


def separable(
    x,
    style,
    filters,
    *,
    kernel_size,
    strides,
    activation,
    squeeze=None,
    squeezed=None,
    project_activation=False,
    space_to_depth=False,
    name,
):
    """A convolution in each channel, then one across channels: an inverted residual that does not expand.

    With `space_to_depth` a strided 2x2 to four times the channels comes first, and takes over the strides.
    """
    filters_in = x.shape[-1]
    if space_to_depth:
        x = blocks.conv2d(x, 4 * filters_in, 2, strides=2, padding="same", name=f"{name}-conv_s2d")
        x = style.normalize(x, f"{name}-bn_s2d", activation)
        style, strides = style._replace(padding="same"), 1
    x = style.filter_channels(
        x,
        kernel_size,
        strides=strides,
        norm=f"{name}-bn1",
        activation=activation,
        name=f"{name}-conv_dw",
        aa=f"{name}-aa",
    )
    if squeeze or squeezed:
        x = style.squeeze(x, filters_in, squeeze, squeezed, activation, f"{name}-se")
    x = style.conv2d(x, filters, 1, name=f"{name}-conv_pw")
    return style.normalize(x, f"{name}-bn2", activation if project_activation else None)


def inverted(
    x,
    style,
    filters,
    *,
    kernel_size,
    strides,
    activation,
    expansion=None,
    expanded=None,
    expand_parts=1,
    project_parts=1,
    squeeze=None,
    squeezed=None,
    name,
):
    """MobileNetV2, figure 4d; MobileNetV3, figure 4: expand, filter each channel, squeeze, project linearly."""
    filters_in = x.shape[-1]
    width = expanded_width(filters_in, expansion, expanded)
    x = style.mix_channels(x, width, parts=expand_parts, name=f"{name}-conv_pw")
    x = style.normalize(x, f"{name}-bn1", activation)
    x = style.filter_channels(
        x,
        kernel_size,
        strides=strides,
        norm=f"{name}-bn2",
        activation=activation,
        name=f"{name}-conv_dw",
        aa=f"{name}-aa",
    )
    if squeeze or squeezed:
        x = style.squeeze(x, filters_in, squeeze, squeezed, activation, f"{name}-se")
    x = style.mix_channels(x, filters, parts=project_parts, name=f"{name}-conv_pwl")
    return style.normalize(x, f"{name}-bn3")


def conditional(x, style, filters, *, kernel_size, strides, expansion, activation, experts, squeeze, name):
    """An inverted residual whose kernels are mixed, for each image, of those of several `experts`."""
    if style.dilation_rate > 1:
        raise InputError("output_stride does not fit conditional convolutions, which are not dilated. Expected 32.")
    filters_in = x.shape[-1]
    shares = layers.GlobalAveragePooling2D(name=f"{name}-routing_pool")(x)
    shares = layers.Dense(experts, activation="sigmoid", name=f"{name}-routing_fn")(shares)
    x = ConditionalConv2D(round_channels(filters_in * expansion), 1, experts=experts, name=f"{name}-conv_pw")(
        [x, shares]
    )
    x = style.normalize(x, f"{name}-bn1", activation)
    filtering = ConditionalConv2D(None, kernel_size, strides=strides, experts=experts, name=f"{name}-conv_dw")
    x = style.normalize(filtering([x, shares]), f"{name}-bn2", activation)
    x = style.squeeze(x, filters_in, squeeze, None, activation, f"{name}-se")
    x = ConditionalConv2D(filters, 1, experts=experts, name=f"{name}-conv_pwl")([x, shares])
    return style.normalize(x, f"{name}-bn3")


def fused(
    x,
    style,
    filters,
    *,
    kernel_size,
    strides,
    activation,
    expansion=None,
    expanded=None,
    groups=1,
    squeeze=None,
    squeezed=None,
    name,
):
    """EfficientNetV2, figure 2, right: one full convolution expands and filters at once."""
    filters_in = x.shape[-1]
    late = style.anti_aliasing is not None and strides > 1
    width = expanded_width(filters_in, expansion, expanded)
    x = style.conv2d(x, width, kernel_size, strides=1 if late else strides, groups=groups, name=f"{name}-conv_exp")
    x = style.normalize(x, f"{name}-bn1", activation)
    if late:
        x = anti_alias(x, style.anti_aliasing, f"{name}-aa")
    if squeeze or squeezed:
        x = style.squeeze(x, filters_in, squeeze, squeezed, activation, f"{name}-se")
    x = style.conv2d(x, filters, 1, name=f"{name}-conv_pwl")
    return style.normalize(x, f"{name}-bn2")


def universal(x, style, filters, *, start=None, middle=None, strides, activation, expansion, kernel_size, name):
    """MobileNetV4, figure 4: a depthwise convolution before the expansion, one after it, both, or none.

    `start` and `middle` are their kernel sizes; the last of them strides. `kernel_size` is of no use here.
    """
    if start:
        alone = 1 if middle else strides
        part = f"{name}-dw_start"
        x = style.filter_channels(
            x, start, strides=alone, norm=f"{part}-bn", activation=None, name=f"{part}-conv", aa=f"{part}-aa"
        )
    x = style.conv2d(x, round_channels(x.shape[-1] * expansion), 1, name=f"{name}-pw_exp-conv")
    x = style.normalize(x, f"{name}-pw_exp-bn", activation)
    if middle:
        part = f"{name}-dw_mid"
        x = style.filter_channels(
            x, middle, strides=strides, norm=f"{part}-bn", activation=activation, name=f"{part}-conv", aa=f"{part}-aa"
        )
    x = style.conv2d(x, filters, 1, name=f"{name}-pw_proj-conv")
    return style.normalize(x, f"{name}-pw_proj-bn")


BLOCKS: dict[str, Callable] = {
    "plain": plain,
    "separable": separable,
    "inverted": inverted,
    "conditional": conditional,
    "fused": fused,
    "universal": universal,
}
