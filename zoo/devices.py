"""What Keras computes on, and how it is compiled for that."""

import contextlib
from collections.abc import Iterator
from typing import Literal

import keras


def on_accelerator() -> bool:
    """Whether Keras computes on something else than a CPU."""
    if keras.backend.backend() == "torch":
        import torch

        return torch.cuda.is_available()
    return not all(name.lower().startswith("cpu") for name in keras.distribution.list_devices())


def jit_compile() -> Literal["auto", False]:
    """What `compile` takes: TensorFlow's XLA takes long on a CPU, again for each shape, and is no faster there."""
    return "auto" if keras.backend.backend() != "tensorflow" or on_accelerator() else False


@contextlib.contextmanager
def dtype_policy(policy: str | keras.Model) -> Iterator[None]:
    """Within it, new layers compute as `policy` says, or as the layers of a model do, whatever holds elsewhere."""
    before = keras.config.dtype_policy()
    if isinstance(policy, keras.Model):
        policies = {layer.dtype_policy.name for layer in policy.layers if layer.weights} - {
            "float32"
        }  # some always are
        policy = policies.pop() if len(policies) == 1 else "float32" if not policies else before
    try:
        keras.config.set_dtype_policy(policy)
        yield
    finally:
        keras.config.set_dtype_policy(before)
