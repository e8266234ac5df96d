"""RepVGG and MobileOne: what is trained as parallel branches computes as one convolution.

Ding et al., 2021, https://arxiv.org/abs/2101.03697, figure 2 and table 2; Vasu et al., 2022,
https://arxiv.org/abs/2206.04040, figure 3 and table 3. The published files contain the branches. Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import batch_norm, classify, conv_norm_act, round_channels, squeeze_excite


def branches(x, filters, kernel_size, *, strides, groups, copies, names, name):
    """The sum of normalised convolutions, one 1x1 and, where the shape is kept, the normalised input."""
    large, small = names
    terms = []
    if strides == 1 and x.shape[-1] == filters:
        terms.append(batch_norm(x, f"{name}-identity"))
    if kernel_size > 1:
        terms.append(
            conv_norm_act(x, filters, 1, strides=strides, groups=groups, activation=None, name=f"{name}-{small}")
        )
    for copy in copies:
        part = f"{name}-{large}{copy}"
        terms.append(conv_norm_act(x, filters, kernel_size, strides=strides, groups=groups, activation=None, name=part))
    return layers.Add(name=f"{name}-add")(terms) if len(terms) > 1 else terms[0]


def rep_block(x, filters, *, strides=1, groups=1, squeeze=None, name):
    """RepVGG, figure 2b: 3x3, 1x1 and identity."""
    names = ("conv_kxk", "conv_1x1")
    x = branches(x, filters, 3, strides=strides, groups=groups, copies=[""], names=names, name=name)
    if squeeze:
        x = squeeze_excite(x, round_channels(x.shape[-1] * squeeze, 1, 0), f"{name}-attn")
    return layers.ReLU(name=f"{name}-act")(x)


def one_block(x, filters, kernel_size, *, strides=1, groups=1, copies=1, squeeze=False, name):
    """MobileOne, figure 3: `copies` of a convolution, depthwise 3x3 or pointwise, 1x1 and identity."""
    names = ("conv_kxk-", "conv_scale")
    x = branches(x, filters, kernel_size, strides=strides, groups=groups, copies=range(copies), names=names, name=name)
    if squeeze:
        x = squeeze_excite(x, round_channels(x.shape[-1] / 16, round_limit=0), f"{name}-attn")
    return layers.ReLU(name=f"{name}-act")(x)


def repvgg(image, *, num_classes, depths, filters, stem_filters, groups=1, squeeze=None, features=False):
    """Wire `depths` blocks of `filters` channels per stage; every second one has `groups`.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x = rep_block(image, stem_filters, strides=2, squeeze=squeeze, name="stem")
    pyramid = {2: x}
    for stage, (depth, width) in enumerate(zip(depths, filters, strict=True)):
        for index in range(depth):
            x = rep_block(
                x,
                width,
                strides=2 if index == 0 else 1,
                groups=groups if index % 2 else 1,
                squeeze=squeeze,
                name=f"stages-{stage}-{index}",
            )
        pyramid[4 * 2**stage] = x
    return pyramid if features else classify(x, num_classes, "head-fc")


def mobileone(image, *, num_classes, depths, filters, stem_filters, copies=1, squeezed=(0, 0, 0, 0), features=False):
    """Wire `depths` pairs of a depthwise and a pointwise block per stage; the last `squeezed` of a stage squeeze.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x = one_block(image, stem_filters, 3, strides=2, name="stem")
    pyramid = {2: x}
    for stage, (depth, width) in enumerate(zip(depths, filters, strict=True)):
        for index in range(depth):
            options = {"copies": copies, "squeeze": index >= depth - squeezed[stage]}
            strides, channels = 2 if index == 0 else 1, x.shape[-1]
            name = f"stages-{stage}-{2 * index}"
            x = one_block(x, channels, 3, strides=strides, groups=channels, name=name, **options)
            x = one_block(x, width, 1, name=f"stages-{stage}-{2 * index + 1}", **options)
        pyramid[4 * 2**stage] = x
    return pyramid if features else classify(x, num_classes, "head-fc")
