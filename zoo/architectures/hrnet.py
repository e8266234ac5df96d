"""HRNet: branches of several resolutions side by side, which exchange what they see after every few blocks.

Wang et al., 2019, https://arxiv.org/abs/1908.07919, figures 2 and 4b, section 3; the head for classification is
figure 11. Names as in timm.
"""

from functools import partial

from keras import layers

from zoo.architectures.blocks import batch_norm, classify, conv2d
from zoo.architectures.resnet import block, shortcut


def conv_norm(x, filters, kernel_size, *, strides=1, activate=True, use_bias=False, name):
    """Convolution and normalisation, numbered 0 and 1, and ReLU."""
    x = conv2d(x, filters, kernel_size, strides=strides, use_bias=use_bias, name=f"{name}-0")
    x = batch_norm(x, f"{name}-1")
    return layers.ReLU(name=f"{name}-2")(x) if activate else x


def residual(x, widths, name):
    """ResNet's block of these widths."""
    match = partial(shortcut, kind="conv", kernel_size=1)
    return block(
        x,
        widths,
        planned=None,
        strides=1,
        groups=1,
        norm=batch_norm,
        anti_aliasing=None,
        squeeze=None,
        match=match,
        name=name,
    )


def transition(maps, filters, name):
    """Adjust the widths of the branches, and begin a new one of half the resolution from the last."""
    outputs = []
    for index, width in enumerate(filters):
        if index == len(maps):
            outputs.append(conv_norm(maps[-1], width, 3, strides=2, name=f"{name}-{index}-0"))
        elif maps[index].shape[-1] != width:
            outputs.append(conv_norm(maps[index], width, 3, name=f"{name}-{index}"))
        else:
            outputs.append(maps[index])
    return outputs


def exchange(maps, name):
    """Figure 4b: each branch adds up all, brought to its resolution by strided 3x3 or by 1x1 and repetition."""
    outputs = []
    for target, own in enumerate(maps):
        terms = []
        for source, x in enumerate(maps):
            part = f"{name}-{target}-{source}"
            if source > target:
                x = conv_norm(x, own.shape[-1], 1, activate=False, name=part)
                x = layers.UpSampling2D(2 ** (source - target), name=f"{part}-2")(x)
            for step in range(target - source):
                last = step == target - source - 1
                width = own.shape[-1] if last else x.shape[-1]
                x = conv_norm(x, width, 3, strides=2, activate=not last, name=f"{part}-{step}")
            terms.append(x)
        outputs.append(layers.ReLU(name=f"{name}-{target}-act")(layers.Add(name=f"{name}-{target}-add")(terms)))
    return outputs


def module(maps, depth, name):
    """`depth` blocks in each branch, then an exchange."""
    outputs = []
    for branch, x in enumerate(maps):
        for index in range(depth):
            x = residual(x, [x.shape[-1]] * 2, f"{name}-branches-{branch}-{index}")
        outputs.append(x)
    return exchange(outputs, f"{name}-fuse_layers")


def head(maps, num_classes, use_bias):
    """Figure 11: from the finest branch down, each halved and added to the next; pool and project."""
    x = maps[0]
    for index, y in enumerate(maps[1:]):
        x = conv_norm(x, y.shape[-1], 3, strides=2, use_bias=use_bias, name=f"downsamp_modules-{index}")
        x = layers.Add(name=f"downsamp_modules-{index}-add")([y, x])
    x = conv_norm(x, 2048, 1, use_bias=use_bias, name="final_layer")
    return classify(x, num_classes, "classifier")


def hrnet(image, *, num_classes, width, first_width, first_depth, modules, depth, head_bias=True, features=False):
    """Wire four stages: bottlenecks, then `modules` of 2, 3 and 4 branches; the finest is `width` wide.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x = layers.ReLU(name="act1")(batch_norm(conv2d(image, 64, 3, strides=2, name="conv1"), "bn1"))
    pyramid = {2: x}
    x = layers.ReLU(name="act2")(batch_norm(conv2d(x, 64, 3, strides=2, name="conv2"), "bn2"))
    for index in range(first_depth):
        x = residual(x, [first_width, first_width, 4 * first_width], f"layer1-{index}")
    maps = [x]
    for stage, count in enumerate(modules, start=2):
        maps = transition(maps, [width * 2**branch for branch in range(stage)], f"transition{stage - 1}")
        for index in range(count):
            maps = module(maps, depth, f"stage{stage}-{index}")
    for index, x in enumerate(maps):
        widths = [32 * 2**index, 32 * 2**index, 128 * 2**index]
        maps[index] = pyramid[4 * 2**index] = residual(x, widths, f"incre_modules-{index}-0")
    return pyramid if features else head(maps, num_classes, head_bias)
