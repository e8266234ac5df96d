"""The same network, built differently: in float32 or in bfloat16; `folding.py` has fewer layers.

Both rewrite the model's configuration and build it anew, so whatever Keras can build, they can.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from zoo.model import ZooModel

_LOWER = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


@contextlib.contextmanager
def plain_settings() -> Iterator[None]:
    """Within it, what Keras builds computes in float32 and takes channels last, whatever a script has set globally."""
    policy, data_format = keras.config.dtype_policy(), keras.config.image_data_format()
    keras.config.set_dtype_policy("float32")
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
        keras.config.set_image_data_format(data_format)


def in_float32(model: ZooModel) -> ZooModel:
    """The model itself where all of it computes in float32; else the same network, with the same weights, that does.

    A policy of lower precision is for training on an accelerator. Converters cannot write its casts, and processors
    are slower with them.
    """
    layers = [layer for layer in model._flatten_layers() if layer is not model]
    if all(layer.compute_dtype == layer.variable_dtype == "float32" for layer in layers):
        return model
    weights = {layer.name: layer.get_weights() for layer in model.layers}
    plain = rebuilt(_with_float32(model.get_config()), weights)
    for name in ("loaded_fingerprint", "initial_fingerprints"):  # where the weights come from, zoo/weights/untrained.py
        if hasattr(model, name):
            setattr(plain, name, getattr(model, name))
    return plain


def _with_float32(config: Any) -> Any:
    """Every dtype policy and cast of a lower precision in a configuration becomes float32."""
    if isinstance(config, list | tuple):
        return type(config)(_with_float32(item) for item in config)
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return "float32"
    return {
        key: "float32" if key == "dtype" and value in _LOWER else _with_float32(value) for key, value in config.items()
    }


def in_bfloat16(model: ZooModel) -> ZooModel:
    """Compute in bfloat16, with variables in float32. What lies before the first and after the last layer with weights
    stays in float32: pixels and the last sums need more than eight bits.
    """
    config = model.get_config()
    reads = inbound(config)
    weighted = {layer.name for layer in model.layers if layer.weights}
    after = _closure(weighted, reads)
    before = _closure(weighted, _reversed(reads))
    for layer in config["layers"]:
        if layer["name"] in weighted | (after & before) and "dtype" in layer["config"]:
            layer["config"]["dtype"] = "mixed_bfloat16"
    return rebuilt(config, {layer.name: layer.get_weights() for layer in model.layers})


def last_layer_with_weights(model: ZooModel) -> keras.layers.Layer:
    """The layer that computes last among those that learn."""
    return [layer for layer in model.layers if layer.weights][-1]


def rebuilt(config: dict[str, Any], weights: dict[str, list[np.ndarray]]) -> ZooModel:
    """The model of a configuration, with these weights by layer."""
    model = ZooModel.from_config(config)
    for layer in model.layers:
        layer.set_weights(weights[layer.name])
    return model


def inbound(config: dict[str, Any]) -> dict[str, list[str]]:
    """For each layer, the layers that it reads, as the configuration writes them."""
    return {
        layer["name"]: re.findall(r"'keras_history': \['([^']+)'", str(layer["inbound_nodes"]))
        for layer in config["layers"]
    }


def _reversed(inbound: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: [other for other, sources in inbound.items() if name in sources] for name in inbound}


def _closure(names: set[str], inbound: dict[str, list[str]]) -> set[str]:
    """The layers that read, directly or through others, one of `names`; layers stand in the order of computation."""
    reached: set[str] = set()
    pending = [name for name, sources in inbound.items() if names & set(sources)]
    readers = _reversed(inbound)
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += readers[name]
    return reached
