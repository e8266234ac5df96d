"""FCN's decoder: scores of the deepest map, twice as large and added to those of the next one, and again; FCN-8s.

Long et al., 2015, https://arxiv.org/abs/1411.4038, section 4 and figure 3. Its encoder's classifier is left out; what
torchvision has in its place, a 3x3 convolution, is an option.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import layers

from zoo.architectures.decoders.parts import as_large, conv_relu, strided, twice_as_large


def fcn(
    image: Any,
    pyramid: Mapping[int, Any],
    *,
    num_classes: int,
    skips: Sequence[int] = (16, 8),
    filters: int = 0,
    dropout: float = 0.1,
) -> Any:
    """From the deepest map up through `skips`, and from the last of them, interpolated, to the image's size.

    Args:
        image: The image, `(batch, height, width, channels)`, any height and width.
        pyramid: The encoder's maps by stride.
        num_classes: Channels of the logits.
        skips: Strides of the maps whose scores join, the deepest first, each half of the one before; those that the
            encoder has not, or only beyond its deepest, are left out.
        filters: Channels of a 3x3 convolution before the deepest scores; 0 for none.
        dropout: Share of its outputs that is left out in training.

    Returns:
        Logits `(batch, height, width, num_classes)`.
    """
    maps = strided(pyramid)
    stride = max(maps)
    x = maps[stride]
    if filters:
        x = conv_relu(x, filters, 3, "decoder-conv")
    if dropout:
        x = layers.Dropout(dropout, name="decoder-dropout")(x)
    x = layers.Conv2D(num_classes, 1, name="segmentation_head-0")(x)
    for skip in skips:
        if skip in maps and skip < stride:
            score = layers.Conv2D(num_classes, 1, kernel_initializer="zeros", name=f"segmentation_head-skip{skip}")
            x = twice_as_large(x, maps[skip], f"segmentation_head-up{skip}")
            x = layers.Add(name=f"segmentation_head-fuse{skip}")([x, score(maps[skip])])
    return as_large(x, image, pyramid, 1, align_corners=False)
