"""MedicalNet, ResNets for volumes. Chen et al., 2019, https://arxiv.org/abs/1904.00625, figure 3.

The last two stages are dilated in place of strided, so that the map stays an eighth of the volume. Names as in
https://github.com/Tencent/MedicalNet, whose published files contain the backbone only: the segmentation head is for
weights that were trained with one.
"""

from keras import layers

from zoo.architectures.blocks import batch_norm


def conv3d(x, filters, kernel_size, *, strides=1, dilation_rate=1, name):
    """Convolution padded by `dilation_rate * (kernel_size - 1) // 2` on each side, without bias."""
    padding = "same"
    if strides > 1:
        x = layers.ZeroPadding3D((kernel_size - 1) // 2, name=f"{name}-pad")(x)
        padding = "valid"
    return layers.Conv3D(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        dilation_rate=dilation_rate,
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def stem(x):
    """Four times smaller: `(batch, d, h, w, 1) -> (batch, d/4, h/4, w/4, 64)`, and the map at half the size."""
    x = conv3d(x, 64, 7, strides=2, name="conv1")
    x = half = layers.ReLU(name="relu")(batch_norm(x, "bn1"))
    x = layers.ZeroPadding3D(1, name="maxpool-pad")(x)  # not negative: zeros are as good as minus infinity
    return layers.MaxPooling3D(3, 2, name="maxpool")(x), half


def shortcut(x, filters, strides, kind, name):
    """Match the branch: every `strides`-th voxel and channels of zeros (`A`), or a 1x1x1 convolution (`B`)."""
    if kind == "B":
        x = conv3d(x, filters, 1, strides=strides, name=f"{name}-0")
        return batch_norm(x, f"{name}-1")
    x = layers.AveragePooling3D(1, strides, name=f"{name}-pool")(x)
    missing = filters - x.shape[-1]
    # With "channels_first" the layer pads the last three axes, so the last of ours, the channels.
    padding = ((0, 0), (0, 0), (0, missing))
    return layers.ZeroPadding3D(padding, data_format="channels_first", name=f"{name}-pad")(x)


def block(x, width, *, bottleneck, strides, dilation_rate, shortcut_kind, name):
    """Two 3x3x3, or 1x1x1, 3x3x3, 1x1x1, added to the shortcut."""
    outputs = 4 * width if bottleneck else width
    x_in = x
    index = 1
    if bottleneck:
        x = conv3d(x, width, 1, name=f"{name}-conv1")
        x = layers.ReLU(name=f"{name}-relu1")(batch_norm(x, f"{name}-bn1"))
        index = 2
    x = conv3d(x, width, 3, strides=strides, dilation_rate=dilation_rate, name=f"{name}-conv{index}")
    x = layers.ReLU(name=f"{name}-relu{index}")(batch_norm(x, f"{name}-bn{index}"))
    # The second 3x3x3 of a basic block is dilated too.
    kernel_size, last_dilation = (1, 1) if bottleneck else (3, dilation_rate)
    x = conv3d(x, outputs, kernel_size, dilation_rate=last_dilation, name=f"{name}-conv{index + 1}")
    x = batch_norm(x, f"{name}-bn{index + 1}")
    if strides > 1 or x_in.shape[-1] != outputs:
        x_in = shortcut(x_in, outputs, strides, shortcut_kind, f"{name}-downsample")
    x = layers.Add(name=f"{name}-add")([x, x_in])
    return layers.ReLU(name=f"{name}-relu{index + 1}")(x)


def segment(x, num_classes):
    """Twice as large again: `(batch, d, h, w, c) -> (batch, 2 * d, 2 * h, 2 * w, num_classes)`, logits."""
    x = layers.Conv3DTranspose(32, 2, strides=2, name="conv_seg-0")(x)
    x = layers.ReLU(name="conv_seg-2")(batch_norm(x, "conv_seg-1"))
    x = conv3d(x, 32, 3, name="conv_seg-3")
    x = layers.ReLU(name="conv_seg-5")(batch_norm(x, "conv_seg-4"))
    return conv3d(x, num_classes, 1, name="conv_seg-6")


def medicalnet(volume, *, depths, num_classes=0, bottleneck=False, shortcut_kind="B", features=False):
    """Build the network for volumes `(batch, depth, height, width, 1)`, each of zero mean and unit variance.

    Returns the last map's average over space, `(batch, channels)`; for `num_classes` the logits of a segmentation at a
    quarter of the size; with `features` the maps by stride: 2, 4 and 8.
    """
    x, half = stem(volume)
    pyramid = {2: half}
    for stage, (depth, strides, dilation_rate) in enumerate(zip(depths, (1, 2, 1, 1), (1, 1, 2, 4), strict=True)):
        for index in range(depth):
            x = block(
                x,
                64 * 2**stage,
                bottleneck=bottleneck,
                strides=strides if index == 0 else 1,
                dilation_rate=dilation_rate,
                shortcut_kind=shortcut_kind,
                name=f"layer{stage + 1}-{index}",
            )
        pyramid[4 if stage == 0 else 8] = x  # of the stages at an eighth, the last
    if features:
        return pyramid
    return segment(x, num_classes) if num_classes else layers.GlobalAveragePooling3D(name="global_pool")(x)
