"""DLA: deep layer aggregation, where the outputs of blocks are merged along a tree.

Yu et al., 2017, https://arxiv.org/abs/1707.06484, figures 2f and 3, table 1. Names as in timm.
"""

from functools import partial

from keras import layers

from zoo.architectures.blocks import batch_norm, classify, conv2d


def conv_norm(x, filters, kernel_size, *, strides=1, groups=1, names, activate=True, name):
    """Convolution, normalisation, ReLU; `names` are those of the first two."""
    x = conv2d(x, filters, kernel_size, strides=strides, groups=groups, name=f"{name}-{names[0]}")
    x = batch_norm(x, f"{name}-{names[1]}")
    return layers.ReLU(name=f"{name}-{names[1]}-relu")(x) if activate else x


def block(x, filters, strides, x_in, *, bottleneck, groups, base_width, name):
    """Two 3x3, or 1x1, 3x3 and 1x1, half as wide in the middle; added to `x_in`."""
    if bottleneck:
        width = int(filters * base_width / 64) * groups // 2
        x = conv_norm(x, width, 1, names=("conv1", "bn1"), name=name)
        x = conv_norm(x, width, 3, strides=strides, groups=groups, names=("conv2", "bn2"), name=name)
        x = conv_norm(x, filters, 1, names=("conv3", "bn3"), activate=False, name=name)
    else:
        x = conv_norm(x, filters, 3, strides=strides, names=("conv1", "bn1"), name=name)
        x = conv_norm(x, filters, 3, names=("conv2", "bn2"), activate=False, name=name)
    x = layers.Add(name=f"{name}-add")([x, x_in])
    return layers.ReLU(name=f"{name}-relu")(x)


def root(outputs, filters, residual, name):
    """Merge: concatenate, 1x1; large networks add the last output."""
    x = layers.Concatenate(name=f"{name}-concat")(outputs)
    x = conv_norm(x, filters, 1, names=("conv", "bn"), activate=False, name=name)
    if residual:
        x = layers.Add(name=f"{name}-add")([x, outputs[0]])
    return layers.ReLU(name=f"{name}-relu")(x)


def tree(x, filters, levels, strides, make_block, *, residual, merge_input=False, children=(), name):
    """Figure 2f: two blocks and a root, or two trees of one level fewer, of which the second merges the first's output.

    `children` are what the root merges besides; with `merge_input` the input, subsampled, is the last of them.
    """
    children = list(children)
    bottom = layers.MaxPooling2D(strides, name=f"{name}-downsample")(x) if strides > 1 else x
    if merge_input:
        children.append(bottom)
    if levels > 1:
        x = tree(x, filters, levels - 1, strides, make_block, residual=residual, name=f"{name}-tree1")
        children.append(x)
        return tree(x, filters, levels - 1, 1, make_block, residual=residual, children=children, name=f"{name}-tree2")
    if bottom.shape[-1] != filters:
        bottom = conv_norm(bottom, filters, 1, names=("0", "1"), activate=False, name=f"{name}-project")
    first = make_block(x, filters, strides, bottom, name=f"{name}-tree1")
    second = make_block(first, filters, 1, first, name=f"{name}-tree2")
    return root([second, first, *children], filters, residual, f"{name}-root")


def dla(
    image, *, num_classes, levels, filters, bottleneck=True, groups=1, base_width=64, residual=False, features=False
):
    """Wire figure 3: a stem and a strided convolution, then four trees of `levels`.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x = conv_norm(image, filters[0], 7, names=("0", "1"), name="base_layer")
    x = conv_norm(x, filters[0], 3, names=("0", "1"), name="level0")
    x = conv_norm(x, filters[1], 3, strides=2, names=("0", "1"), name="level1")
    pyramid = {2: x}
    make_block = partial(block, bottleneck=bottleneck, groups=groups, base_width=base_width)
    for index, (depth, width) in enumerate(zip(levels, filters[2:], strict=True), start=2):
        name = f"level{index}"
        x = tree(x, width, depth, 2, make_block, residual=residual, merge_input=index > 2, name=name)
        pyramid[2**index] = x
    return pyramid if features else classify(x, num_classes, "fc")
