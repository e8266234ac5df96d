"""Fixtures that several test files share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub_server import HubServer


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    """A Hub of this test alone, on a fresh port, with an empty cache for its clients."""
    with HubServer(tmp_path) as server:
        yield server
