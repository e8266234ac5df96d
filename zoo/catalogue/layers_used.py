"""Which layers each architecture is made of, without building it: `layers_used.json`, a list for each.

`python -m zoo.architectures.tables` writes it.
"""

import functools
import json
from importlib import resources


@functools.cache
def _table() -> dict[str, list[str]]:
    return json.loads(resources.files("zoo").joinpath("catalogue/layers_used.json").read_text())


def layers_used(architecture: str) -> list[str]:
    """Names of the layer classes in a registry's architecture, sorted; empty for an architecture from elsewhere.

    Example:
        >>> from zoo.catalogue.layers_used import layers_used
        >>> "Blur2D" in layers_used("resnetblur50")
        True
    """
    return _table().get(architecture, [])
