"""Networks of inverted residuals, as timm names their parts.

- MobileNetV1, V2, V3, V4. https://arxiv.org/abs/1704.04861, table 1; https://arxiv.org/abs/1801.04381, table 2;
  https://arxiv.org/abs/1905.02244, figure 5, tables 1 and 2; https://arxiv.org/abs/2404.10518, appendix D.
- EfficientNet. Tan and Le, 2019, https://arxiv.org/abs/1905.11946, table 1; wider and deeper by section 3.3.
- EfficientNetV2. Tan and Le, 2021, https://arxiv.org/abs/2104.00298, table 4.
- What searches found among the same blocks: MnasNet, SPNAS, FBNet, HardCoRe-NAS, TinyNet, MixNet; EfficientNets for
  the edge (Lite, EdgeTPU).

The tables are data in `registry.yaml`: a stage is a list of rows, a row the keyword arguments of its blocks, which
`inverted_residual.py` has.
"""

import math

from keras import layers

from zoo.architectures import blocks
from zoo.architectures.blocks import Dilation, classify, round_channels
from zoo.architectures.inverted_residual import BLOCKS, Style


def row(
    x,
    style,
    *,
    kind,
    filters,
    repeats=1,
    kernel_size=3,
    strides=1,
    activation=None,
    shortcut=True,
    dilation_rate=None,
    padding=None,
    dilation,
    name,
    first,
    **options,
):
    """`repeats` blocks of one `kind`, the first one strided. Blocks that keep the shape are added to their input.

    They are dilated as `dilation` says at this stride, or by `dilation_rate`, and padded as the
    style or `padding` says.
    """
    wanted, strides = strides, dilation.step(strides)
    keeps_shape = (wanted if dilation.dilate_first else strides) == 1
    for index in range(repeats):
        x_in, block_name = x, f"{name}-{first + index}"
        rate = dilation_rate or (dilation.rate if index else dilation.first_rate)
        x = BLOCKS[kind](
            x,
            style._replace(dilation_rate=rate, padding=padding or style.padding),
            filters,
            kernel_size=kernel_size,
            strides=strides if index == 0 else 1,
            activation=activation or style.activation,
            name=block_name,
            **options,
        )
        if shortcut and (index > 0 or keeps_shape) and x_in.shape[-1] == filters:
            x = layers.Add(name=f"{block_name}-add")([x, x_in])
    return x


def scaled(stages, width, depth, round_limit):
    """The table of a wider and deeper network. `depth` multiplies repeats and is one number or one per stage."""
    depths = depth if isinstance(depth, list | tuple) else [depth] * len(stages)
    return [
        [
            {
                **arguments,
                "filters": arguments["filters"]
                if width == 1
                else round_channels(arguments["filters"] * width, round_limit=round_limit),
                "repeats": math.ceil(arguments.get("repeats", 1) * factor),
            }
            for arguments in stage
        ]
        for stage, factor in zip(stages, depths, strict=True)
    ]


def late_head(x, style, filters, use_bias, normalized, num_classes):
    """MobileNetV3, figure 5, below: the last convolution comes after the pooling; in MobileNetV4 it is normalised."""
    x = layers.GlobalAveragePooling2D(keepdims=True, name="global_pool")(x)  # (batch, 1, 1, c)
    x = blocks.conv2d(x, filters, 1, use_bias=use_bias and not normalized, name="conv_head")
    if normalized:
        x = style.normalize(x, "norm_head", style.activation)
    else:
        x = layers.Activation(style.activation, name="act2")(x)
    x = layers.Flatten(name="flatten")(x)
    return layers.Dense(num_classes, name="classifier")(x) if num_classes else x


def efficientnet(
    image,
    *,
    num_classes,
    stages,
    width=1.0,
    depth=1.0,
    round_limit=0.9,
    stem_filters=32,
    stem_kernel_size=3,
    head_filters=1280,
    head="early",
    head_bias=True,
    style=None,
    output_stride=32,
    dilate_first=False,
    hidden_rows=(),
    head_map=False,
    features=False,
):
    """Wire the rows of a table between stem and head; `stem_filters` and `head_filters` are not multiplied by `width`.

    `head`: `early`, a convolution before the pooling (none for 0 filters); `late`, after it; `normalized`, late too.
    From `output_stride` on, 8 or 16, blocks are dilated in place of being strided (`blocks.Dilation`). The
    pyramid has the last row of each stride, but for `hidden_rows`, counted through all stages; with `head_map` the
    head's convolution in place of the last.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    style = Style(**style or {})
    x = style.conv2d(image, stem_filters, stem_kernel_size, strides=2, name="conv_stem")
    x = style.normalize(x, "bn1", style.activation)
    pyramid, dilation = {2: x}, Dilation(output_stride, 2, dilate_first=dilate_first)
    number = 0
    for index, rows in enumerate(scaled(stages, width, depth, round_limit)):
        first = 0
        for arguments in rows:
            x = row(x, style, **arguments, dilation=dilation, name=f"blocks-{index}", first=first)
            first += arguments["repeats"]
            if number not in hidden_rows:
                pyramid[dilation.stride] = x
            number += 1
    if features and not head_map:
        return pyramid
    if head != "early":
        return late_head(x, style, head_filters, head_bias, head == "normalized", num_classes)
    if head_filters:
        x = style.conv2d(x, head_filters, 1, name="conv_head")
        x = pyramid[dilation.stride] = style.normalize(x, "bn2", style.activation)
    if features:
        return pyramid
    return classify(x, num_classes, "classifier")
