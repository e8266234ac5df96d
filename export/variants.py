"""The same network, built differently: in float32, with batch normalisation folded into convolutions, or in bfloat16.

All rewrite the model's configuration and build it anew, so whatever Keras can build, they can.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from zoo.model import ZooModel

_LOWER = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16")
_FOLDABLE = (
    keras.layers.Dense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)


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
    plain = _rebuilt(_with_float32(model.get_config()), weights)
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


def folded(model: ZooModel) -> ZooModel:
    """Fold each batch normalisation into the convolution or dense layer before it, where nothing else reads that one.

    Answers stay the same up to rounding; training is no longer possible as it was, so this is for inference.
    """
    config = model.get_config()
    inbound = _inbound(config)
    layers = {layer.name: layer for layer in model.layers}  # the configuration also contains operations such as a slice
    weights = {name: layer.get_weights() for name, layer in layers.items()}
    for name, layer in layers.items():
        if not isinstance(layer, keras.layers.BatchNormalization) or layer.axis not in (-1, len(layer.input.shape) - 1):
            continue
        before = layers.get(inbound[name][0])
        readers = sum(inbound[name][0] in others for others in inbound.values())
        if isinstance(before, _FOLDABLE) and readers == 1 and before.activation is keras.activations.linear:
            weights[before.name] = _folded_weights(before, layer)
            weights[name] = []
            _layer_config(config, before.name)["config"]["use_bias"] = True
            _replace_by_identity(_layer_config(config, name))
    return _rebuilt(config, weights)


def in_bfloat16(model: ZooModel) -> ZooModel:
    """Compute in bfloat16, with variables in float32. What lies before the first and after the last layer with weights
    stays in float32: pixels and the last sums need more than eight bits.
    """
    config = model.get_config()
    inbound = _inbound(config)
    weighted = {layer.name for layer in model.layers if layer.weights}
    after = _closure(weighted, inbound)
    before = _closure(weighted, _reversed(inbound))
    for layer in config["layers"]:
        if layer["name"] in weighted | (after & before) and "dtype" in layer["config"]:
            layer["config"]["dtype"] = "mixed_bfloat16"
    return _rebuilt(config, {layer.name: layer.get_weights() for layer in model.layers})


def last_layer_with_weights(model: ZooModel) -> keras.layers.Layer:
    """The layer that computes last among those that learn."""
    return [layer for layer in model.layers if layer.weights][-1]


def _rebuilt(config: dict[str, Any], weights: dict[str, list[np.ndarray]]) -> ZooModel:
    model = ZooModel.from_config(config)
    for layer in model.layers:
        layer.set_weights(weights[layer.name])
    return model


def _inbound(config: dict[str, Any]) -> dict[str, list[str]]:
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


def _layer_config(config: dict[str, Any], name: str) -> dict[str, Any]:
    return next(layer for layer in config["layers"] if layer["name"] == name)


def _replace_by_identity(layer: dict[str, Any]) -> None:
    kept = {"name": layer["name"], "dtype": layer["config"]["dtype"]}
    layer.update(module="keras.layers", class_name="Activation", registered_name=None)
    layer["config"] = {**kept, "activation": "linear"}
    layer.pop("build_config", None)
    for node in layer["inbound_nodes"]:
        node["kwargs"] = {}  # batch normalisation knows a mask, an activation does not


def _folded_weights(before: keras.layers.Layer, norm: keras.layers.BatchNormalization) -> list[np.ndarray]:
    """Kernel times `gamma / deviation`, and the bias that gives the same mean; computed in float64."""
    mean, variance = (np.asarray(value, "float64") for value in (norm.moving_mean, norm.moving_variance))
    scale = 1 / np.sqrt(variance + norm.epsilon)
    if norm.scale:
        scale = scale * np.asarray(norm.gamma, "float64")
    kernels: list[np.ndarray] = before.get_weights()
    bias = kernels.pop() if before.use_bias else np.zeros_like(mean)
    bias = (bias - mean) * scale
    if norm.center:
        bias = bias + np.asarray(norm.beta, "float64")
    if isinstance(before, keras.layers.DepthwiseConv2D):  # kernel (h, w, channels, multiplier)
        scale = scale.reshape(kernels[-1].shape[-2:])
    elif isinstance(before, keras.layers.Conv2DTranspose | keras.layers.Conv3DTranspose):  # kernel (..., out, in)
        scale = scale[:, None]
    kernels[-1] = kernels[-1] * scale
    return [weight.astype("float32") for weight in (*kernels, bias)]
