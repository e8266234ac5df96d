"""What several families share: PyTorch's padding, batch normalisation, squeeze-and-excitation, the classifier.

Layer names are the module paths of the reference implementation with `-` for `.`: they are the file format of the weights.
"""

from keras import layers


def conv2d(x, filters, kernel_size, *, strides=1, dilation_rate=1, groups=1, use_bias=False, name):
    """Convolution padded by `dilation_rate * (kernel_size - 1) // 2` on each side, as PyTorch's networks do.

    Keras' own `same` pads strided convolutions on the right and below only.
    `(batch, h, w, c) -> (batch, ceil(h / strides), ceil(w / strides), filters)` for odd kernels.
    """
    x, padding = pad2d(x, kernel_size, strides=strides, dilation_rate=dilation_rate, name=name)
    return layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        dilation_rate=dilation_rate,
        groups=groups,
        use_bias=use_bias,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def pad2d(x, kernel_size, *, strides=1, dilation_rate=1, name):
    """Pad `x` symmetrically for a window, where `same` would not; return it and the `padding` that the window then wants."""
    if strides == 1 and kernel_size % 2 == 1:
        return x, "same"
    return layers.ZeroPadding2D(dilation_rate * (kernel_size - 1) // 2, name=f"{name}-pad")(x), "valid"


def batch_norm(x, name, *, epsilon=1e-5):
    """Batch normalisation with PyTorch's momentum (Keras' 0.9 is its 0.1) and epsilon."""
    return layers.BatchNormalization(momentum=0.9, epsilon=epsilon, name=name)(x)


def max_pool_stem(x, name):
    """3x3 max pooling, stride 2, padded by one on each side. `x` is not negative: zeros are as good as minus infinity."""
    x = layers.ZeroPadding2D(1, name=f"{name}-pad")(x)
    return layers.MaxPooling2D(3, 2, name=name)(x)


def squeeze_excite(x, filters, name):
    """Channel attention through a bottleneck of `filters`. Hu et al., 2018, https://arxiv.org/abs/1709.01507, figure 2."""
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}-pool")(x)  # (batch, 1, 1, c)
    gate = layers.Conv2D(filters, 1, activation="relu", name=f"{name}-fc1")(gate)
    gate = layers.Conv2D(x.shape[-1], 1, activation="sigmoid", name=f"{name}-fc2")(gate)
    return layers.Multiply(name=f"{name}-scale")([x, gate])


def classify(x, num_classes, name):
    """Average over space and project: `(batch, h, w, c) -> (batch, num_classes)`, logits; pooled features for 0 classes."""
    x = layers.GlobalAveragePooling2D(name="global_pool")(x)
    return layers.Dense(num_classes, name=name)(x) if num_classes else x


def round_channels(channels, divisor=8, round_limit=0.9):
    """The nearest multiple of `divisor`, at least one, and not more than 10 % below `channels` (`round_limit`)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < round_limit * channels else rounded
