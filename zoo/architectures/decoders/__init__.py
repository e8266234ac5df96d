"""Decoders, one per file: from the feature pyramid of any encoder to a map of logits as large as the image.

A decoder takes the normalised image, the pyramid, a dict from stride to map, and the number of classes. It knows the
maps by their strides and no encoder by its name. Its layers are called as in segmentation_models_pytorch, `decoder-...`
and `segmentation_head-...`, so one short reader serves its checkpoints.
"""

import importlib
from collections.abc import Callable
from typing import Any


def find_decoder(name: str) -> Callable[..., Any]:
    """The decoder of one of `zoo.catalogue.decoder_names`."""
    return getattr(importlib.import_module(f"zoo.architectures.decoders.{name}"), name)
