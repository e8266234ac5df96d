"""Decoders, one per file: from the feature pyramid of any encoder to a map of logits as large as the image.

A decoder takes the normalised image, the pyramid, a dict from stride to map, and the number of classes. It knows the
maps by their strides and no encoder by its name. Its layers are called as in segmentation_models_pytorch, `decoder-...`
and `segmentation_head-...`, so one short reader serves its checkpoints.
"""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.errors import InputError


def decoded(
    name: str, image: Any, pyramid: Mapping[int, Any], *, strides: Sequence[int] | None = None, **config: Any
) -> Any:
    """The logits of the decoder `name`, one of `zoo.catalogue.decoder_names`, built as `config` says.

    Args:
        name: The decoder, a file of this folder.
        image: The normalised image, `(batch, height, width, channels)`.
        pyramid: The encoder's maps by stride.
        strides: Those of the maps that the decoder sees; all by default.
        config: What the decoder takes, `num_classes` among it.

    Raises:
        InputError: The encoder has none of these maps, or the decoder needs others.
    """
    seen = {stride: x for stride, x in pyramid.items() if strides is None or stride in (1, *strides)}
    if not any(stride > 1 for stride in seen):
        raise InputError(
            f"strides={list(strides or ())} are none of the encoder's. Expected some of {', '.join(map(str, pyramid))}."
        )
    return getattr(importlib.import_module(f"zoo.architectures.decoders.{name}"), name)(image, seen, **config)
