"""What the tests of the layers share."""

from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import settings


@pytest.fixture(scope="session")
def golden():
    """Inputs and outputs of the reference implementations; `meta` says what is what."""
    return np.load(Path(__file__).parent.parent / "golden" / "layers.npz")


def pytest_configure(config):
    # Without the slow tests, and on JAX: each example has shapes of its own, to compile.
    few = "not slow" in config.getoption("markexpr") or keras.backend.backend() == "jax"
    settings.register_profile("layers", max_examples=4 if few else 8, derandomize=True, deadline=None)
    settings.load_profile("layers")
    if keras.backend.backend() == "jax":  # most of the time goes into compiling tiny programs
        import jax

        jax.config.update("jax_disable_most_optimizations", True)
