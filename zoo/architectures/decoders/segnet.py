"""SegNet's decoder: values go back to where the encoder's max pooling took them from, then convolutions spread them.

Badrinarayanan et al., 2017, https://arxiv.org/abs/1511.00561, figure 2 and section 3.
"""

from collections.abc import Mapping
from typing import Any

from keras import layers

from zoo.architectures.decoders.parts import classify, conv_relu
from zoo.errors import InputError
from zoo.layers import MaxPoolingWithArgmax2D, MaxUnpooling2D


def is_max_pooled(x: Any) -> bool:
    """Whether a 2x2 max pooling without padding is what reads this map."""
    readers = (node.operation for node in x._keras_history.operation._outbound_nodes)
    return any(
        isinstance(reader, layers.MaxPooling2D) and tuple(reader.pool_size) == tuple(reader.strides) == (2, 2)
        for reader in readers
    )


def segnet(
    image: Any, pyramid: Mapping[int, Any], *, num_classes: int, depths: tuple[int, ...] = (3, 3, 3, 2, 1)
) -> Any:
    """The mirror image of an encoder that halves its maps by 2x2 max pooling, such as VGG.

    Args:
        image: The image, `(batch, height, width, channels)`, any height and width.
        pyramid: The encoder's maps by stride: those that it pools, and the last pooled one.
        num_classes: Channels of the logits.
        depths: 3x3 convolutions of each level, the deepest first.

    Returns:
        Logits `(batch, height, width, num_classes)`.

    Raises:
        InputError: The encoder does not pool by maximum at every level.
    """
    stride = max(pyramid)
    x, index = pyramid[stride], 0
    while stride > 1:
        stride //= 2
        before = pyramid.get(stride)
        if before is None or not is_max_pooled(before):
            raise InputError(
                "decoder='segnet' needs an encoder whose maps are all halved by 2x2 max pooling, and this one halves "
                f"that of stride {stride} otherwise. Expected a VGG, or another decoder, such as 'unet'."
            )
        indices = MaxPoolingWithArgmax2D(name=f"decoder-{index}-pool")(before)[1]
        x = MaxUnpooling2D(name=f"decoder-{index}-unpool")([x, indices, before])
        depth = depths[min(index, len(depths) - 1)]
        narrower = pyramid[stride // 2].shape[-1] if stride // 2 in pyramid else before.shape[-1]
        for number in range(depth):
            width = narrower if number == depth - 1 else before.shape[-1]
            x = conv_relu(x, width, 3, f"decoder-{index}-conv{number}")
        index += 1
    return classify(x, num_classes, 3)
