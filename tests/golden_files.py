"""Rebuilds the checkpoint behind a golden file and compares outputs with the reference implementation's.

The weights of `tests/golden/<architecture>.npz` come from a formula of each tensor's name and shape, in the reference's
own layout; the outputs were computed once by the reference (timm, transformers, ... on PyTorch, which no test needs).
"""

import json
import zlib
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import save_file

import zoo

FOLDER = Path(__file__).parent / "golden"
TOLERANCE = 3e-4  # of the reference's standard deviation; rounding alone moves outputs by up to 3e-5


def golden_weight(name, shape):
    if name.endswith("num_batches_tracked"):  # a counter, not a weight
        return np.zeros(shape, np.int64)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("running_var"):
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    if name.endswith(("running_mean", "bias")):
        return (0.1 * rng.standard_normal(shape)).astype(np.float32)
    if len(shape) == 1:
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    fan_in = int(np.prod(shape[1:]))
    return np.asarray(rng.standard_normal(shape) / np.sqrt(fan_in), np.float32)  # a scalar is an array too


def read_golden(architecture):
    """The arrays of a golden file, and its `meta`."""
    with np.load(FOLDER / f"{architecture}.npz") as file:
        arrays = dict(file)
    if "images" not in arrays:  # most were made from the same ones
        arrays["images"] = np.load(FOLDER / "images.npz")["images"]
    return arrays, json.loads(arrays.pop("meta").tobytes())


def golden_state(architecture):
    """The reference's tensors by name."""
    arrays, meta = read_golden(architecture)
    return {
        name: arrays.get(f"stat:{name}", golden_weight(name, tuple(shape))) for name, shape in meta["tensors"].items()
    }


def write_golden_checkpoint(architecture, folder):
    """Write the reference's checkpoint as safetensors and return its path."""
    path = Path(folder) / f"{architecture}.safetensors"
    save_file(golden_state(architecture), path)
    return path


def trainable_parameters(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def assert_close(outputs, reference, tolerance=TOLERANCE):
    outputs = keras.ops.convert_to_numpy(outputs)
    difference = np.abs(outputs.reshape(reference.shape) - reference).max() / reference.std()
    assert difference <= tolerance, f"differs by {difference:.1e} of the standard deviation"


def assert_classifier_reproduces(architecture, folder):
    """Load the golden checkpoint of a classification network and compare parameters, pooled features and logits.

    Returns the model and the golden arrays for further checks.
    """
    arrays, meta = read_golden(architecture)
    model = zoo.load(architecture, weights=write_golden_checkpoint(architecture, folder))
    assert trainable_parameters(model) == meta["params"]
    assert model.spec.input.mean == tuple(meta["mean"])
    assert model.spec.input.std == tuple(meta["std"])
    before_head = model.get_layer(model.spec.classifier).input
    pooled, logits = keras.Model(model.inputs, [before_head, model.output])([arrays["images"].astype("float32")])
    assert_close(pooled, arrays["pooled"])
    assert_close(logits, arrays["logits"])
    return model, arrays
