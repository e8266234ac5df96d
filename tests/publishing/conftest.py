"""A Hub and its clients, and models to publish: started and made once."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import zoo
from tests.hub_server.publisher import Publisher
from tests.hub_server.server import HubServer


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[HubServer]:
    """One Hub for all; each test has a repository of its own."""
    with HubServer(tmp_path_factory.mktemp("hub")) as server:
        yield server


@pytest.fixture(scope="session")
def client(server, tmp_path_factory) -> Iterator[Publisher]:
    """A process that publishes."""
    with Publisher(server, tmp_path_factory.mktemp("logs") / "client") as client:
        yield client


@pytest.fixture
def publisher(client, server) -> Iterator[Publisher]:
    """The same; faults and log end with the test."""
    server.log.clear()
    server.lfs.clear()  # what other tests have sent
    yield client
    server.faults.clear()
    server.read_only.clear()


@pytest.fixture
def repo_id(request) -> str:
    return "tester/" + "".join(character for character in request.node.name if character.isalnum())[:60]


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> list[Path]:
    """Three saved models that differ in one weight."""
    home = tmp_path_factory.mktemp("models")
    model = zoo.load("espcn-x2")
    return [zoo.save(_shifted(model), home / str(number)) for number in range(3)]


def _shifted(model):
    model.get_layer("feature-conv1").bias.assign_add(np.full(64, 0.01))
    return model
