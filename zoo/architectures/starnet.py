"""StarNet: two linear maps of the same input, multiplied, number by number.

Ma et al., 2024, https://arxiv.org/abs/2403.19967, figure 3. Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import batch_norm, classify, conv2d, depthwise_conv2d


def conv_norm(x, filters, kernel_size, *, strides=1, name):
    """Convolution, depthwise for no `filters`, and normalisation."""
    if filters is None:
        x = depthwise_conv2d(x, kernel_size, use_bias=True, name=f"{name}-conv")
    else:
        x = conv2d(x, filters, kernel_size, strides=strides, use_bias=True, name=f"{name}-conv")
    return batch_norm(x, f"{name}-bn")


def block(x, name):
    """Figure 3: depthwise 7x7, the star, depthwise 7x7, added to the input."""
    filters = x.shape[-1]
    y = conv_norm(x, None, 7, name=f"{name}-dwconv")
    first = layers.Conv2D(4 * filters, 1, activation="relu6", name=f"{name}-f1-conv")(y)
    second = layers.Conv2D(4 * filters, 1, name=f"{name}-f2-conv")(y)
    y = layers.Multiply(name=f"{name}-star")([first, second])
    y = conv_norm(y, filters, 1, name=f"{name}-g")
    y = depthwise_conv2d(y, 7, use_bias=True, name=f"{name}-dwconv2-conv")
    return layers.Add(name=f"{name}-add")([x, y])


def starnet(image, *, num_classes, depths, filters, features=False):
    """Wire `depths` blocks per stage, `filters` wide in the first.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 4 to 32.
    """
    x = layers.Activation("relu6", name="stem-1")(conv_norm(image, 32, 3, strides=2, name="stem-0"))
    pyramid = {}
    for stage, depth in enumerate(depths):
        x = conv_norm(x, filters * 2**stage, 3, strides=2, name=f"stages-{stage}-0")
        for index in range(depth):
            x = block(x, f"stages-{stage}-{index + 1}")
        pyramid[4 * 2**stage] = x
    return pyramid if features else classify(batch_norm(x, "norm"), num_classes, "head")
