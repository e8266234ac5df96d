"""Fully convolutional networks: a classifier of every window, and skips that bring its scores back to the pixels.

Long et al., 2015, https://arxiv.org/abs/1411.4038, section 4 and figure 3; layers called as in the authors' networks,
the trunk's as timm's VGG. They pad the image by 100 pixels and crop all that follows; here nothing is padded,
poolings count the windows that overhang, and what is enlarged past the next map loses its last row or column.
"""

from collections.abc import Sequence
from typing import Any

from keras import layers

from zoo.architectures.blocks import batch_norm, conv2d
from zoo.architectures.vgg import FILTERS, stage
from zoo.layers import BilinearInterpolation, BilinearUpSampling2D, CropLike


def trunk(x: Any, filters: Sequence[int], depths: Sequence[int], batch_normalization: bool) -> dict[int, Any]:
    """VGG's stages: (b, h, w, c) to what each pooling gives, by stride, 2 to 32."""
    index, pooled = 0, {}
    for number, (width, depth) in enumerate(zip(filters, depths, strict=True)):
        x, index = stage(x, width, depth, batch_normalization, index)
        x = layers.MaxPooling2D(2, padding="same", name=f"features-{index}")(x)
        index += 1
        pooled[2 ** (number + 1)] = x
    return pooled


def dense(x: Any, filters: int, kernel_size: int, batch_normalization: bool, dropout: float) -> Any:
    """The classifier's two hidden layers, at every place: (b, h, w, c) -> (b, h, w, filters)."""
    for name, size in (("pre_logits-fc1", kernel_size), ("pre_logits-fc2", 1)):
        x = conv2d(x, filters, size, use_bias=True, name=name)
        if batch_normalization:
            x = batch_norm(x, f"{name}-bn")
        x = layers.ReLU(name=f"{name}-relu")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"{name}-dropout")(x)
    return x


def score(x: Any, num_classes: int, name: str) -> Any:
    """Scores of the classes: (b, h, w, c) -> (b, h, w, num_classes). All 0 before it is trained, as in section 4."""
    return layers.Conv2D(num_classes, 1, kernel_initializer="zeros", name=name)(x)


def twice_as_large(x: Any, like: Any, name: str) -> Any:
    """Bilinear before it is trained: (b, h, w, c) -> (b, height of `like`, width of `like`, c)."""
    options = {"padding": "same", "use_bias": False, "kernel_initializer": BilinearInterpolation()}
    x = layers.Conv2DTranspose(x.shape[-1], 4, 2, **options, name=name)(x)
    return CropLike(offset=0, name=f"{name}-crop")([x, like])


def fcn(
    image: Any,
    *,
    num_classes: int,
    stride: int,
    depths: Sequence[int] = (2, 2, 3, 3, 3),
    filters: Sequence[int] = FILTERS,
    dense_filters: int = 4096,
    dense_kernel_size: int = 7,
    batch_normalization: bool = False,
    dropout: float = 0.5,
) -> Any:
    """FCN-32s, FCN-16s or FCN-8s: by default on VGG16.

    Args:
        image: The image, `(batch, height, width, channels)`, any height and width.
        num_classes: Channels of the logits.
        stride: Pixels between the finest scores: 32; 16, where those of the fourth pooling join; 8, and of the third.
        depths, filters: Convolutions of each of the five stages of the trunk, and their channels.
        dense_filters, dense_kernel_size: Channels of what was VGG's dense layers, and the side of the first's kernels.
        batch_normalization: Whether each convolution but those of scores has one.
        dropout: Share of the dense layers' outputs that is left out in training.

    Returns:
        Logits `(batch, height, width, num_classes)`, bilinear between the places of the finest scores.
    """
    pooled = trunk(image, filters, depths, batch_normalization)
    x = dense(pooled[32], dense_filters, dense_kernel_size, batch_normalization, dropout)
    x = score(x, num_classes, "score_fr")
    if stride <= 16:
        x = twice_as_large(x, pooled[16], "upscore2")
        x = layers.Add(name="fuse_pool4")([x, score(pooled[16], num_classes, "score_pool4")])
    if stride <= 8:
        x = twice_as_large(x, pooled[8], "upscore_pool4")
        x = layers.Add(name="fuse_pool3")([x, score(pooled[8], num_classes, "score_pool3")])
    # The authors' last transposed convolution is bilinear and not trained: no weights are wanted for it.
    x = BilinearUpSampling2D(stride, name=f"upscore{stride}")(x)
    return CropLike(offset=0, name="score")([x, image])
