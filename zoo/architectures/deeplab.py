"""DeepLabV3 on MobileNetV2, its parts named as in transformers.

Chen et al., 2017, https://arxiv.org/abs/1706.05587, section 3, on the backbone of Sandler et al., 2018,
https://arxiv.org/abs/1801.04381, table 2. That paper's section 6.3 reduces the head to what a phone can run: image
pooling and a 1x1 convolution. The weights come from TensorFlow: convolutions are padded as there, and the epsilon of
batch normalisation is 1e-3 in the backbone and 1e-5 in the head.
"""

from keras import layers

from zoo.architectures.blocks import batch_norm, conv2d, depthwise_conv2d


def normalize(x, name, activation="relu6", epsilon=1e-3):
    """Batch normalisation and, if there is one, an activation. The defaults are the backbone's."""
    x = batch_norm(x, f"{name}-normalization", epsilon=epsilon)
    return layers.Activation(activation, name=f"{name}-activation")(x) if activation else x


def filter_and_project(x, filters, *, strides=1, dilation_rate=1, name):
    """A 3x3 convolution in each channel, then a linear 1x1 across: `(b, h, w, c) -> (b, h/strides, ..., filters)`."""
    x = depthwise_conv2d(
        x, 3, strides=strides, dilation_rate=dilation_rate, padding="same", name=f"{name}-conv_3x3-convolution"
    )
    x = normalize(x, f"{name}-conv_3x3")
    x = conv2d(x, filters, 1, name=f"{name}-reduce_1x1-convolution")
    return normalize(x, f"{name}-reduce_1x1", activation=None)


def stem(x):
    """Half as large: 3x3 to 32 channels, then the one block of table 2 that does not expand."""
    name = "mobilenet_v2-conv_stem"
    x = conv2d(x, 32, 3, strides=2, padding="same", name=f"{name}-first_conv-convolution")
    x = normalize(x, f"{name}-first_conv")
    return filter_and_project(x, 16, name=name)


def inverted_residual(x, filters, *, strides, dilation_rate, name):
    """MobileNetV2, table 1: six times wider, filtered, projected, and added to the input where the shapes agree."""
    x_in = x
    x = conv2d(x, 6 * x.shape[-1], 1, name=f"{name}-expand_1x1-convolution")
    x = normalize(x, f"{name}-expand_1x1")
    x = filter_and_project(x, filters, strides=strides, dilation_rate=dilation_rate, name=name)
    return layers.Add(name=f"{name}-add")([x_in, x]) if strides == 1 and x_in.shape[-1] == filters else x


def backbone(x, filters, strides, output_stride):
    """The maps by stride. From `output_stride` on, filters are dilated (section 3.1) in place of being strided."""
    x = stem(x)
    stride, dilation_rate, pyramid = 2, 1, {2: x}
    for index, (width, step) in enumerate(zip(filters, strides, strict=True)):
        dilated = stride == output_stride
        x = inverted_residual(
            x,
            width,
            strides=1 if dilated else step,
            dilation_rate=dilation_rate,
            name=f"mobilenet_v2-layer-{index}",
        )
        # The block that would have been strided still looks at dense pixels: only those after it are dilated.
        stride, dilation_rate = (stride, dilation_rate * step) if dilated else (stride * step, 1)
        pyramid[stride] = x
    return pyramid


def head(x):
    """Section 3.3, figure 5, without the atrous branches: `(b, h, w, c) -> (b, h, w, 256)`."""

    def branch(x, part):
        x = conv2d(x, 256, 1, name=f"segmentation_head-{part}-convolution")
        return normalize(x, f"segmentation_head-{part}", activation="relu", epsilon=1e-5)

    pooled = layers.GlobalAveragePooling2D(keepdims=True, name="segmentation_head-avg_pool")(x)
    pooled = branch(pooled, "conv_pool")  # (b, 1, 1, 256)
    aspp = branch(x, "conv_aspp")
    zeros = layers.Rescaling(0.0, name="segmentation_head-zeros")(aspp)
    pooled = layers.Add(name="segmentation_head-spread")([zeros, pooled])  # the same at each of (h, w)
    x = layers.Concatenate(name="segmentation_head-concatenate")([pooled, aspp])
    return branch(x, "conv_projection")


def deeplabv3_mobilenet_v2(image, *, num_classes, filters, strides, output_stride=8, features=False):
    """Backbone, then head; `filters` and `strides` hold one int for each inverted residual of MobileNetV2's table 2.

    Returns logits `(batch, height / output_stride, width / output_stride, num_classes)`; what the classifier sees for 0
    classes; with `features` the maps by stride, 2 to `output_stride`.
    """
    pyramid = backbone(image, filters, strides, output_stride)
    if features:
        return pyramid
    x = head(pyramid[output_stride])
    name = "segmentation_head-classifier-convolution"
    return conv2d(x, num_classes, 1, use_bias=True, name=name) if num_classes else x
