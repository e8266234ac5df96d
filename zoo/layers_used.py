"""Which layers each architecture is made of, without building it: `zoo/layers_used.json`, which this module writes.

python -m zoo.layers_used > zoo/layers_used.json
"""

import functools
import json
from importlib import resources
from typing import Any


@functools.cache
def _table() -> dict[str, list[str]]:
    return json.loads(resources.files("zoo").joinpath("layers_used.json").read_text())


def layers_used(architecture: str) -> list[str]:
    """Names of the layer classes in a registry's architecture, sorted; empty for an architecture from elsewhere.

    Example:
        >>> from zoo.layers_used import layers_used
        >>> "Blur2D" in layers_used("resnetblur50")
        True
    """
    return _table().get(architecture, [])


def layers_of(model: Any) -> list[str]:
    """Names of the layer classes in a built model, sorted, its input left out."""
    return sorted({type(layer).__name__ for layer in model.layers} - {"InputLayer"})


def _written() -> str:
    import keras

    from zoo import weights
    from zoo.architectures import build
    from zoo.registry import registry

    table = {}
    for name in sorted(registry().default_names):
        with weights.abstract():
            table[name] = layers_of(build(registry().find(name)))
        keras.utils.clear_session()
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(names)}" for name, names in table.items()) + "\n}"


if __name__ == "__main__":
    print(_written())
