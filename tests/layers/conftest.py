"""What the tests of the layers share."""

from pathlib import Path

import keras
import numpy as np
import pytest


@pytest.fixture(scope="session")
def golden():
    """Inputs and outputs of the reference implementations; `meta` says what is what."""
    return np.load(Path(__file__).parent.parent / "golden" / "layers.npz")


def pytest_configure(config):
    if keras.backend.backend() == "jax":  # most of the time goes into compiling tiny programs
        import jax

        jax.config.update("jax_disable_most_optimizations", True)
