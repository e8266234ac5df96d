"""Fixtures that several test files share."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub_server.server import HubServer

# What JAX has compiled it keeps for the next run and for the other workers: layers are many tiny programs.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


def pytest_collection_finish() -> None:
    """What is imported stays: without it, the collections that Keras asks for after each model take a tenth as long."""
    gc.freeze()


def pytest_sessionfinish() -> None:
    gc.unfreeze()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    """A Hub of this test alone, on a fresh port, with an empty cache for its clients."""
    with HubServer(tmp_path) as server:
        yield server


@pytest.fixture
def classifier():
    """A ResNet of one block as after training: three named classes, and a base under a licence."""
    import keras

    import zoo
    from zoo import architectures

    keras.utils.set_random_seed(0)
    entry = zoo.info("resnet10t").model_copy(
        update={
            "config": {"depths": [1], "stem_kind": "tiered", "stem_filters": 16},
            "num_classes": 3,
            "labels": ("red", "green", "blue"),
            "revision": "a" * 40,
        }
    )
    model = architectures.build(entry)
    for variable in model.weights:
        variable.assign_add(0.1 * keras.random.uniform(variable.shape))
    return model
