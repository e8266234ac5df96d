"""SelecSLS: selective long and short range skip connections.

Mehta et al., 2019, https://arxiv.org/abs/1907.00837, figure 3 and table 1. Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import batch_norm, classify, conv2d


def conv(x, filters, kernel_size, *, strides=1, name):
    """Convolution, normalisation, ReLU, numbered 0 to 2."""
    x = batch_norm(conv2d(x, filters, kernel_size, strides=strides, name=f"{name}-0"), f"{name}-1")
    return layers.ReLU(name=f"{name}-2")(x)


def block(x, skipped, width, filters, strides, name):
    """Figure 3: three 3x3 of which the outputs are concatenated, with those of the first block of the level."""
    first = conv(x, width, 3, strides=strides, name=f"{name}-conv1")
    second = conv(conv(first, width, 1, name=f"{name}-conv2"), width // 2, 3, name=f"{name}-conv3")
    third = conv(conv(second, width, 1, name=f"{name}-conv4"), width // 2, 3, name=f"{name}-conv5")
    outputs = [first, second, third] + ([] if skipped is None else [skipped])
    return conv(layers.Concatenate(name=f"{name}-concat")(outputs), filters, 1, name=f"{name}-conv6")


def selecsls(image, *, num_classes, levels, head, features=False):
    """Wire levels of `(width, filters)` per block, the first of each strided; the head is `(filters, size, strides)`s.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x = conv(image, 32, 3, strides=2, name="stem")
    pyramid, stride, index = {2: x}, 2, 0
    for level in levels:
        skipped = None
        for width, filters in level:
            strides = 2 if skipped is None else 1
            x = block(x, skipped, width, filters, strides, f"features-{index}")
            skipped = x if skipped is None else skipped
            index += 1
        stride *= 2
        pyramid[stride] = x
    for index, (filters, kernel_size, strides) in enumerate(head):
        x = conv(x, filters, kernel_size, strides=strides, name=f"head-{index}")
        stride *= strides
        pyramid[stride] = x
    if features:
        return {stride: output for stride, output in pyramid.items() if stride <= 32}
    return classify(x, num_classes, "fc")
