"""DenseNet: each layer sees what all layers before it in the block have made.

Huang et al., 2016, https://arxiv.org/abs/1608.06993, figures 1 and 2, table 1 (DenseNet-BC). The "d" stem is figure 2
of https://arxiv.org/abs/1812.01187; blur before subsampling, in the stem only, https://arxiv.org/abs/1904.11486.
Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import batch_norm, classify, conv2d, max_pool_stem
from zoo.layers import Blur2D


def activate(x, name):
    """Batch normalisation and ReLU, which timm has in one module. Shape unchanged."""
    return layers.ReLU(name=f"{name}-act")(batch_norm(x, name))


def stem(x, filters, deep):
    """One 7x7 convolution, or three 3x3 (`deep`): `(b, h, w, 3) -> (b, h/2, w/2, filters)`"""
    if not deep:
        x = conv2d(x, filters, 7, strides=2, name="features-conv0")
        return activate(x, "features-norm0")
    for index, (channels, strides) in enumerate([(filters // 2, 2), (filters // 2, 1), (filters, 1)]):
        x = conv2d(x, channels, 3, strides=strides, name=f"features-conv{index}")
        x = activate(x, f"features-norm{index}")
    return x


def stem_pool(x, blur):
    """`(b, h, w, c) -> (b, h/2, w/2, c)`"""
    if not blur:
        return max_pool_stem(x, "features-pool0")
    x = layers.MaxPooling2D(3, 1, padding="same", name="features-pool0-0")(x)
    return Blur2D(3, strides=2, padding="reflect", name="features-pool0-1")(x)


def dense_layer(x, growth_rate, name):
    """Figure 1: add `growth_rate` channels made of all those before, through a bottleneck four times as wide."""
    new = activate(x, f"{name}-norm1")
    new = conv2d(new, 4 * growth_rate, 1, name=f"{name}-conv1")
    new = activate(new, f"{name}-norm2")
    new = conv2d(new, growth_rate, 3, name=f"{name}-conv2")
    return layers.Concatenate(name=f"{name}-concatenate")([x, new])


def transition(x, name):
    """Between two blocks: `(b, h, w, c) -> (b, h/2, w/2, c/2)`"""
    x = activate(x, f"{name}-norm")
    x = conv2d(x, x.shape[-1] // 2, 1, name=f"{name}-conv")
    return layers.AveragePooling2D(2, name=f"{name}-pool")(x)


def densenet(image, *, num_classes, depths, growth_rate=32, deep_stem=False, blur=False, features=False):
    """Wire the blocks of figure 2 as table 1 says, `depths` layers per block.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride: 2, the
    stem's; 4 to 16, those after blocks 1 to 3; 32, the last normalised one.
    """
    x = stem(image, 2 * growth_rate, deep_stem)
    pyramid = {2: x}
    x = stem_pool(x, blur)
    for block, depth in enumerate(depths, start=1):
        for index in range(1, depth + 1):
            x = dense_layer(x, growth_rate, f"features-denseblock{block}-denselayer{index}")
        if block < len(depths):
            pyramid[2 ** (block + 1)] = x
            x = transition(x, f"features-transition{block}")
    x = pyramid[2 ** (len(depths) + 1)] = activate(x, "features-norm5")
    return pyramid if features else classify(x, num_classes, "classifier")
