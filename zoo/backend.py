"""What Keras computes with: its backend, asked before Keras is imported, the device, and the dtype policy."""

import contextlib
import difflib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from zoo.errors import InputError, MissingExtraError
from zoo.processor import features

BACKENDS = {
    "tensorflow": "layerzoo",
    "jax": "layerzoo[jax]",
    "torch": "layerzoo[torch]",
    "openvino": "layerzoo[openvino]",
}


def check_backend() -> None:
    """Refuse a backend that Keras does not have, or that is not installed: Keras has no readable error for either.

    Raises:
        InputError: `KERAS_BACKEND`, or the `backend` in Keras' configuration file, names no backend.
        MissingExtraError: It is not installed.
    """
    if "keras" in sys.modules:
        return
    name, place = _asked_for()
    if name == "numpy":  # Keras' own, for inference; always there
        return
    if name not in BACKENDS:
        nearest = difflib.get_close_matches(name, BACKENDS, n=1) or ["tensorflow"]
        raise InputError(
            f"{place} is {name!r:.60}. Expected one of {', '.join(BACKENDS)}; did you mean {nearest[0]!r}?"
        )
    try:
        is_installed = importlib.util.find_spec(name) is not None
    except ImportError:
        is_installed = False
    if not is_installed:
        raise MissingExtraError(
            f"{place} is {name!r}, which is not installed. Expected it: pip install '{BACKENDS[name]}'; or set "
            "KERAS_BACKEND to another backend."
        )


def _asked_for() -> tuple[str, str]:
    """The backend, and where it is named."""
    if name := os.environ.get("KERAS_BACKEND"):
        return name, "KERAS_BACKEND"
    path = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "keras.json"
    try:
        return str(json.loads(path.read_bytes())["backend"]), f"The backend in {path}"
    except (OSError, ValueError, KeyError, TypeError):  # none, or one that Keras ignores too
        return "tensorflow", "Keras' default backend"


def on_accelerator() -> bool:
    """Whether Keras computes on something else than a CPU."""
    import keras

    if keras.backend.backend() == "torch":
        import torch

        return torch.cuda.is_available()
    return not all(name.lower().startswith("cpu") for name in keras.distribution.list_devices())


def bfloat16_is_fast() -> bool:
    """Whether Keras trains in bfloat16 faster than in float32: on TPUs, on GPUs that have units for it (NVIDIA's from
    compute capability 8), and on processors with AMX. AVX-512's instructions for it alone train more slowly."""
    if not on_accelerator():
        return "amx_bf16" in features()
    import keras

    if keras.backend.backend() == "torch":
        import torch

        return torch.cuda.is_bf16_supported(including_emulation=False)
    if keras.backend.backend() == "jax":
        import jax

        found = [getattr(device, "compute_capability", None) for device in jax.local_devices()]
    else:
        import tensorflow as tf

        details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
        found = [one.get("compute_capability", (8,))[0] for one in details]
    return all(one is None or float(one) >= 8 for one in found)  # None of a TPU


def jit_compile() -> Literal["auto", False]:
    """What `compile` takes: TensorFlow's XLA takes long on a CPU, again for each shape, and is not faster there."""
    import keras

    return "auto" if keras.backend.backend() != "tensorflow" or on_accelerator() else False


@contextlib.contextmanager
def dtype_policy(policy: Any) -> Iterator[None]:
    """Within it, new layers compute in `policy`, or as the layers of a model do, whatever holds elsewhere."""
    import keras

    before = keras.config.dtype_policy()
    if isinstance(policy, keras.Model):
        policies = {layer.dtype_policy.name for layer in policy.layers if layer.weights}
        policies -= {"float32"}  # some always are
        policy = policies.pop() if len(policies) == 1 else "float32" if not policies else before
    try:
        keras.config.set_dtype_policy(policy)
        yield
    finally:
        keras.config.set_dtype_policy(before)
