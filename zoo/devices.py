"""What Keras computes on, and how it is compiled for that."""

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
