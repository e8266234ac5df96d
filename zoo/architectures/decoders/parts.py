"""What several decoders share: convolutions with their normalisation, an enlargement, and the head."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import layers

from zoo.architectures.blocks import batch_norm, conv2d, depthwise_conv2d
from zoo.errors import InputError
from zoo.layers import BilinearInterpolation, BilinearLike2D, NearestLike2D


def strided(pyramid: Mapping[int, Any]) -> dict[int, Any]:
    """The maps that are smaller than the image, by stride, the largest first: what all decoders begin with."""
    return {stride: pyramid[stride] for stride in sorted(pyramid) if stride > 1}


def of_detectors(pyramid: Mapping[int, Any], decoder: str, needed: Sequence[int] = (8, 16)) -> list[Any]:
    """The maps that detectors begin with: at strides 8 and 16, and at 32 where it is seen or `needed`.

    Raises:
        InputError: The encoder has no such map.
    """
    if missing := [stride for stride in needed if stride not in pyramid]:
        raise InputError(
            f"decoder={decoder!r} needs a map of stride {missing[0]}, and the encoder has maps of "
            f"{', '.join(map(str, strided(pyramid)))}. Choose another encoder, or leave output_stride and strides out."
        )
    return [pyramid[stride] for stride in (8, 16, 32) if stride in pyramid]


def separable_conv(x: Any, filters: int, kernel_size: int, name: str, *, dilation_rate: int = 1) -> Any:
    """A filter in each channel, then a mix of the channels: (b, h, w, c) -> (b, h, w, filters)."""
    x = depthwise_conv2d(x, kernel_size, dilation_rate=dilation_rate, name=f"{name}-0")
    return conv2d(x, filters, 1, name=f"{name}-1")


def conv_relu(
    x: Any, filters: int, kernel_size: int, name: str, *, separable: bool = False, dilation_rate: int = 1
) -> Any:
    """Convolution (`separable`: in each channel, then across), batch normalisation, ReLU: (b, h, w, filters)."""
    convolution = separable_conv if separable else conv2d
    x = convolution(x, filters, kernel_size, dilation_rate=dilation_rate, name=f"{name}-0")
    return layers.ReLU(name=f"{name}-2")(batch_norm(x, f"{name}-1"))


def twice_as_large(x: Any, like: Any, name: str) -> Any:
    """By a transposed convolution that is bilinear before it is trained, cropped to `like` unless that is None."""
    options = {"padding": "same", "use_bias": False, "kernel_initializer": BilinearInterpolation()}
    x = layers.Conv2DTranspose(x.shape[-1], 4, 2, **options, name=name)(x)
    return x if like is None else NearestLike2D(name=f"{name}-crop")([x, like])


def classify(x: Any, num_classes: int, kernel_size: int) -> Any:
    """Logits at every place: (b, h, w, c) -> (b, h, w, num_classes)."""
    return layers.Conv2D(num_classes, kernel_size, padding="same", name="segmentation_head-0")(x)


def as_large(x: Any, image: Any, pyramid: Mapping[int, Any], stride: int, *, align_corners: bool = True) -> Any:
    """The logits interpolated to the size of the image, or of its map of this stride: (b, h, w, num_classes)."""
    sizes = {**pyramid, 1: image}
    if stride not in sizes:
        raise InputError(
            f"logits_stride={stride}, and the encoder has no such map. Expected {', '.join(map(str, sorted(sizes)))}."
        )
    return BilinearLike2D(align_corners, name="segmentation_head-1")([x, sizes[stride]])
