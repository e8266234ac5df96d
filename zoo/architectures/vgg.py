"""VGG, with and without batch normalisation: nothing but 3x3 convolutions and pooling.

Simonyan & Zisserman, 2014, https://arxiv.org/abs/1409.1556, table 1 (11 is column A, 13 is B, 16 is D, 19 is E).
Fully convolutional as in timm, after section 3.2: the first dense layer is a 7x7 convolution, the second a 1x1. Names
as in timm: `features` is one list, in which convolution, normalisation, activation and pooling count alike.
"""

from keras import layers

from zoo.architectures.blocks import batch_norm, classify, conv2d
from zoo.layers import MinimumSize2D

FILTERS = (64, 128, 256, 512, 512)


def stage(x, filters, depth, batch_normalization, index, name="features"):
    """`depth` convolutions: `(b, h, w, c) -> (b, h, w, filters)`, and the index after the last of their layers."""
    for _ in range(depth):
        x = conv2d(x, filters, 3, use_bias=True, name=f"{name}-{index}")
        if batch_normalization:
            index += 1
            x = batch_norm(x, f"{name}-{index}")
        x = layers.ReLU(name=f"{name}-{index + 1}")(x)
        index += 2
    return x, index


def dense(x):
    """The two fully connected layers: `(b, h, w, 512) -> (b, max(h, 7) - 6, max(w, 7) - 6, 4096)`"""
    x = MinimumSize2D(7, name="pre_logits-resize")(x)
    x = layers.Conv2D(4096, 7, activation="relu", kernel_initializer="he_normal", name="pre_logits-fc1")(x)
    return layers.Conv2D(4096, 1, activation="relu", kernel_initializer="he_normal", name="pre_logits-fc2")(x)


def vgg(image, *, num_classes, depths, batch_normalization=False, features=False):
    """Wire the stages of table 1, `depths` convolutions each, with a pooling after each.

    Returns logits `(batch, num_classes)`; 4096 pooled features for 0 classes; with `features` the maps by stride: those
    before each pooling, 1 to 16, and the last pooled one, 32.

    Made for 224 pixels, where the last map is 7x7. Of larger images the 7x7 windows' features are averaged; the maps of
    smaller ones, from 32 pixels on, are first stretched to 7x7 by adaptive average pooling.
    """
    x, index, pyramid = image, 0, {}
    for number, (filters, depth) in enumerate(zip(FILTERS, depths, strict=True)):
        x, index = stage(x, filters, depth, batch_normalization, index)
        pyramid[2**number] = x
        x = layers.MaxPooling2D(2, name=f"features-{index}")(x)
        index += 1
    pyramid[32] = x
    return pyramid if features else classify(dense(x), num_classes, "head-fc")
