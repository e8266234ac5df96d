"""Fixtures that several test files share."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub_server.server import HubServer


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
