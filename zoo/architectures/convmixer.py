"""ConvMixer: patches, then the same block again and again at one resolution.

Trockman and Kolter, 2022, https://arxiv.org/abs/2201.09792, figure 2. Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import batch_norm, classify, depthwise_conv2d


def convmixer(image, *, num_classes, depth, filters, kernel_size, patch_size, activation="gelu"):
    """Wire figure 2: a convolution of patches, `depth` blocks of a depthwise convolution, added, and a pointwise one.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes.
    """
    x = layers.Conv2D(filters, patch_size, strides=patch_size, activation=activation, name="stem-0")(image)
    x = batch_norm(x, "stem-2")
    for index in range(depth):
        name = f"blocks-{index}"
        y = depthwise_conv2d(x, kernel_size, use_bias=True, name=f"{name}-0-fn-0")
        y = batch_norm(layers.Activation(activation, name=f"{name}-0-fn-1")(y), f"{name}-0-fn-2")
        x = layers.Add(name=f"{name}-add")([x, y])
        x = layers.Conv2D(filters, 1, activation=activation, name=f"{name}-1")(x)
        x = batch_norm(x, f"{name}-3")
    return classify(x, num_classes, "head")
