"""Writes `zoo/catalogue/layers_used.json`: which layers each architecture of the registry is made of.

python -m zoo.architectures.layer_table > table && mv table zoo/catalogue/layers_used.json
"""

import json
from typing import Any

import keras

from zoo.architectures import build
from zoo.catalogue.registry import registry
from zoo.weights.filling import abstract


def layers_of(model: Any) -> list[str]:
    """Names of the layer classes in a built model, sorted, its input left out."""
    return sorted({type(layer).__name__ for layer in model.layers} - {"InputLayer"})


def _written() -> str:
    table = {}
    for name in sorted(registry().default_names):
        with abstract():
            table[name] = layers_of(build(registry().find(name)))
        keras.utils.clear_session()
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(names)}" for name, names in table.items()) + "\n}"


if __name__ == "__main__":
    print(_written())
