"""U-Net's decoder: twice as large, the encoder's map of that size beside it, two convolutions; and again.

Ronneberger et al., 2015, https://arxiv.org/abs/1505.04597, figure 1. As in segmentation_models_pytorch the maps are
padded, normalised in batches, and enlarged by interpolation; attention to channels and places (Roy et al., 2018,
https://arxiv.org/abs/1808.08127, figure 1d) may follow.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import layers

from zoo.architectures.decoders.parts import classify, conv_relu, strided, twice_as_large
from zoo.layers import BilinearLike2D, BilinearUpSampling2D, NearestLike2D


def enlarge(x: Any, like: Any, upsampling: str, name: str) -> Any:
    """As large as `like`, or twice as large for None. Transposed convolutions begin as bilinear."""
    if upsampling == "transposed":
        return twice_as_large(x, like, f"{name}-up")
    is_nearest = upsampling == "nearest"
    if like is None:
        return (layers.UpSampling2D if is_nearest else BilinearUpSampling2D)(2, name=f"{name}-up")(x)
    return (NearestLike2D if is_nearest else BilinearLike2D)(name=f"{name}-up")([x, like])


def attend(x: Any, name: str) -> Any:
    """Attention to channels and to places, added: shape unchanged."""
    squeezed = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}-cSE-0")(x)
    squeezed = layers.Conv2D(x.shape[-1] // 16, 1, activation="relu", name=f"{name}-cSE-1")(squeezed)
    channels = layers.Conv2D(x.shape[-1], 1, activation="sigmoid", name=f"{name}-cSE-3")(squeezed)
    places = layers.Conv2D(1, 1, activation="sigmoid", name=f"{name}-sSE-0")(x)
    return layers.Multiply(name=f"{name}-scale")([x, layers.Add(name=f"{name}-add")([channels, places])])


def block(x: Any, filters: int, *, attention: bool, separable: bool, name: str) -> Any:
    """Figure 1, one level on the right: two 3x3 convolutions: (b, h, w, c) -> (b, h, w, filters)."""
    x = conv_relu(x, filters, 3, f"{name}-conv1", separable=separable)
    x = conv_relu(x, filters, 3, f"{name}-conv2", separable=separable)
    return attend(x, f"{name}-attention2-attention") if attention else x


def unet(
    image: Any,
    pyramid: Mapping[int, Any],
    *,
    num_classes: int,
    filters: Sequence[int] = (256, 128, 64, 32, 16),
    upsampling: str = "nearest",
    attention: bool = False,
    center: bool = False,
    separable: bool = False,
) -> Any:
    """From the deepest map up to the size of the image, a level for each halving that the encoder made.

    Args:
        image: The image, `(batch, height, width, channels)`, any height and width.
        pyramid: The encoder's maps by stride; a level without one goes without.
        num_classes: Channels of the logits.
        filters: Channels of each level from the deepest on; an encoder that halves less often leaves out the first.
        upsampling: `"nearest"`, `"bilinear"`, or `"transposed"` for transposed convolutions that start bilinear.
        attention: Whether each level attends to channels and places.
        center: Whether two convolutions come first.
        separable: Whether convolutions go in each channel, then across: a tenth of the multiplications.

    Returns:
        Logits `(batch, height, width, num_classes)`.
    """
    maps = strided(pyramid)
    stride = max(maps)
    x = maps[stride]
    if center:
        for index in range(2):
            x = conv_relu(x, x.shape[-1], 3, f"decoder-center-{index}")
    levels = stride.bit_length() - 1
    for index, width in enumerate(filters[-levels:]):
        stride //= 2
        name = f"decoder-blocks-{index}"
        skip = maps.get(stride)
        x = enlarge(x, image if stride == 1 else skip, upsampling, name)
        if skip is not None:
            x = layers.Concatenate(name=f"{name}-concatenate")([x, skip])
        if attention and stride > 1:
            x = attend(x, f"{name}-attention1-attention")
        x = block(x, width, attention=attention, separable=separable, name=name)
    return classify(x, num_classes, 3)
